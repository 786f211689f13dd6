#![doc = "See `redial_fuzz::machine`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(machine);
