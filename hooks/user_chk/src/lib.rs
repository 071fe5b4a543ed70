//! The user_chk hook service: subnet and boot file by registration.
