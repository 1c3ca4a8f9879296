//! Writes that bypass the page cache, on Linux. A finished write is on the drive, and the thread can do other work
//! while the drive writes.
//!
//! The kernel's asynchronous I/O (`io_submit`) needs no helper thread for that. With a write and an `fdatasync`, the
//! thread would wait for the drive twice.

use crate::store::error::Result;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::AsRawFd;
use std::os::raw::{c_long, c_ulong};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::ptr::null_mut;

/// File systems on which this was tested against power cuts: ext4 (whose number ext2 and ext3 share) and XFS.
const TRIED: [i128; 2] = [0xEF53, 0x5846_5342];
const PWRITE: u16 = 1;

/// A file that is open for direct writes.
pub struct Direct {
    file: File,
    context: c_ulong,
}

/// `struct iocb` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Default)]
struct Request {
    data: u64,
    key_and_flags: [u32; 2],
    opcode: u16,
    priority: i16,
    file: u32,
    address: u64,
    bytes: u64,
    offset: u64,
    reserved: u64,
    flags: u32,
    event_file: u32,
}

/// `struct io_event` of `linux/aio_abi.h`.
#[repr(C)]
#[derive(Default)]
struct Event {
    data: u64,
    request: u64,
    result: i64,
    result2: i64,
}

impl Direct {
    /// Opens the file at `path`; `None` if its file system or the kernel does not support this. `block` is an aligned
    /// buffer for a test read.
    pub fn open(path: &Path, block: &mut [u8]) -> Option<Self> {
        let flags = libc::O_DIRECT | libc::O_DSYNC | libc::O_NOFOLLOW;
        let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path).ok()?;
        // SAFETY: all zeros is a valid value of this structure, and the call fills it.
        let kind = unsafe {
            let mut found: libc::statfs = zeroed();
            (libc::fstatfs(file.as_raw_fd(), &raw mut found) == 0).then_some(found.f_type)?
        };
        if !TRIED.contains(&i128::from(kind)) {
            return None;
        }
        file.read_exact_at(block, 0).ok()?;
        let mut context: c_ulong = 0;
        // SAFETY: the call writes the context.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, 1 as c_long, &raw mut context) };
        (made == 0).then_some(Self { file, context })
    }

    /// Writes `blocks` at `offset`.
    pub fn write(&self, blocks: &[u8], offset: usize) -> io::Result<()> {
        self.file.write_all_at(blocks, offset as u64)
    }

    /// Like [`Self::write`], and runs `meanwhile` while the drive writes.
    pub fn write_while(
        &self,
        blocks: &[u8],
        offset: usize,
        meanwhile: impl FnOnce() -> Result<()>,
    ) -> io::Result<Result<()>> {
        let flight = self.begin(blocks, offset)?;
        let done = meanwhile();
        flight.end()?;
        Ok(done)
    }

    fn begin<'a>(&'a self, blocks: &'a [u8], offset: usize) -> io::Result<Flight<'a>> {
        let file = self.file.as_raw_fd().cast_unsigned();
        let mut request = Request {
            // Comes back with the event, where a tracer finds it.
            data: file.into(),
            opcode: PWRITE,
            file,
            address: blocks.as_ptr() as u64,
            bytes: blocks.len() as u64,
            offset: offset as u64,
            ..Request::default()
        };
        let mut requests = [&raw mut request];
        // SAFETY: the call copies the request. The bytes that it points to are borrowed until `Flight` has ended.
        let begun = unsafe {
            libc::syscall(libc::SYS_io_submit, self.context, 1 as c_long, requests.as_mut_ptr())
        };
        if begun == 1 {
            Ok(Flight { direct: self, blocks, landed: false })
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

impl Drop for Direct {
    fn drop(&mut self) {
        // SAFETY: no write is pending, and nothing uses the context any more.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.context) };
    }
}

/// A pending write. It ends before the borrowed bytes can change.
struct Flight<'a> {
    direct: &'a Direct,
    blocks: &'a [u8],
    landed: bool,
}

impl Flight<'_> {
    fn end(mut self) -> io::Result<()> {
        self.wait()
    }

    fn wait(&mut self) -> io::Result<()> {
        let mut event = Event::default();
        loop {
            // SAFETY: the buffer has space for one event, and the call waits for one without a timeout.
            let got = unsafe {
                libc::syscall(
                    libc::SYS_io_getevents,
                    self.direct.context,
                    1 as c_long,
                    1 as c_long,
                    &raw mut event,
                    null_mut::<libc::timespec>(),
                )
            };
            if got == 1 {
                break;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.landed = true;
        match i32::try_from(-event.result) {
            Ok(code) if code > 0 => Err(io::Error::from_raw_os_error(code)),
            _ if usize::try_from(event.result) == Ok(self.blocks.len()) => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        if !self.landed {
            let _ = self.wait();
        }
    }
}

const _: () = assert!(size_of::<Request>() == 64 && size_of::<Event>() == 32);
