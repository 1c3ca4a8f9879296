//! Sets the linker up for a Node addon.
fn main() {
    napi_build::setup();
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // In the addon sled finds `src/store/sled/database/sync_file_range.rs` where it asks for this.
        println!("cargo:rustc-link-arg-cdylib=-Wl,--wrap=sync_file_range");
        // Its threads run until the process ends, so it has to stay when the thread that loaded it ends.
        println!("cargo:rustc-link-arg-cdylib=-Wl,-z,nodelete");
    }
}
