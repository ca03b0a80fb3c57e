#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| dolt_format_fuzz::entry_points::jsonl_parse(data));
