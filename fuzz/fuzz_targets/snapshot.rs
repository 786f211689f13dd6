#![doc = "See `redial_fuzz::snapshot`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(snapshot);
