#![doc = "See `redial_fuzz::trace`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(trace);
