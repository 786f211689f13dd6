#![doc = "See `redial_fuzz::frame`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(frame);
