#![doc = "See `redial_fuzz::policy`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(policy);
