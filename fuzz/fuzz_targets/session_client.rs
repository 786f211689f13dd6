#![doc = "See `redial_fuzz::session_client`."]
#![cfg_attr(fuzzing, no_main)]

redial_fuzz::target!(session_client);
