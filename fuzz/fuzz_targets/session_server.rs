#![doc = "See `redial_fuzz::session_server`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(session_server);
