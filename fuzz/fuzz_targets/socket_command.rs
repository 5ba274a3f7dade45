#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| realtime_photo::fuzzing::socket_command(data));
