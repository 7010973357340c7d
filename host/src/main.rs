//! The program `astromorph`; everything it does is in the library, one file a verb.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    astromorph_host::train::allocator::keep_memory();
    astromorph_host::cli::main()
}
