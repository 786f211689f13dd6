#![doc = "See `redial_fuzz::budget`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(budget);
