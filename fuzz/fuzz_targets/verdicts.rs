#![doc = "See `redial_fuzz::verdicts`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(verdicts);
