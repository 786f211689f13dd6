//! The frames of `redial.v1`.

use redial_session::{Frame, Greeting, MAX_NUMBER};

/// Reads a frame. What is one is written as the same bytes; what is none is refused in one line.
pub fn frame(bytes: &[u8]) {
    let greeting = Greeting::decode(bytes.to_vec().into());
    match Frame::decode(bytes.to_vec().into()) {
        Ok(Frame::Unknown { kind }) => assert!(kind >= 0x80, "{kind} is known"),
        Ok(frame) => {
            assert_eq!(frame.encode(), bytes, "{frame:?}");
            if let Frame::Message { number, received, .. } = frame {
                assert!((1..=MAX_NUMBER).contains(&number) && received <= MAX_NUMBER, "{frame:?}");
            }
            let greets = matches!(frame, Frame::Start | Frame::Resume { .. });
            assert_eq!(greeting.is_ok(), greets, "{frame:?}");
        }
        Err(error) => {
            assert!(greeting.is_err(), "no frame, and yet a greeting");
            crate::text::assert_one_line(&error.to_string());
        }
    }
}
