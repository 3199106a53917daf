//! send_direct
