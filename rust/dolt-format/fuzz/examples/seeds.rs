//! Writes the seeds to `corpus/`, where `cargo fuzz` looks for them.

use std::path::Path;

use dolt_format_fuzz::seeds;

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (target, inputs) in seeds::load(&here.join("../../../tests/golden")) {
        let folder = here.join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        for (number, input) in inputs.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:04}")), input)?;
        }
    }
    Ok(())
}
