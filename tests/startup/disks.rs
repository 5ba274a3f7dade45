//! File systems whose disks fail. The tests must run as root to mount them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Says why a test cannot run. With `TEST_MOUNTS` in the environment it must, so this panics.
pub(crate) fn skip(reason: &str) {
    let may_skip = std::env::var_os("TEST_MOUNTS").is_none();
    assert!(may_skip, "TEST_MOUNTS is set, and yet {reason}");
    eprintln!("skipped: {reason}");
}

/// A file system in memory.
pub(crate) struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` if this user cannot mount.
    pub(crate) fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["-t", "tmpfs", "-o", "size=40m", "tmpfs"];
        run("mount", &arguments, folder.path()).then(|| Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn grow(&self) {
        assert!(run("mount", &["-o", "remount,size=128m"], self.0.path()));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l"], self.0.path());
    }
}

/// The size of a [`FailingDisk`] in bytes.
const DISK_BYTES: u64 = 128 << 20;

/// The size of the disk while it fails: only its first blocks are left.
const REST_BYTES: u64 = 4096;

/// An ext4 file system on a disk of its own, a file: its errors are those of the kernel.
pub(crate) struct FailingDisk {
    folder: TempDir,
    device: String,
}

impl FailingDisk {
    /// `None` if this user cannot mount, or the system has no loop devices.
    pub(crate) fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("disk");
        File::create(&disk).unwrap().set_len(DISK_BYTES).unwrap();
        // After an error, a journal would refuse all writes until the next mount.
        if !run("mkfs.ext4", &["-q", "-O", "^has_journal"], &disk) {
            return None;
        }
        let root = folder.path().join("root");
        fs::create_dir(&root).unwrap();
        let mut failing = Self {
            folder,
            device: String::new(),
        };
        failing.mount_with("remount-ro").then_some(failing)
    }

    /// The root of the file system.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Mounts the file system; says what it does after an error.
    fn mount_with(&mut self, after_error: &str) -> bool {
        let options = format!("loop,errors={after_error}");
        let disk = self.disk();
        let arguments = ["-o", &options, disk.to_str().unwrap()];
        if !run("mount", &arguments, &self.path()) {
            return false;
        }
        let root = self.path();
        let mounts = fs::read_to_string("/proc/mounts").unwrap();
        let mut mounts = mounts.lines().map(|line| line.split(' '));
        let device = mounts.find_map(|mut mount| {
            let device = mount.next()?;
            (Path::new(mount.next()?) == root).then(|| device.to_owned())
        });
        self.device = device.unwrap();
        true
    }

    /// Lets the kernel find an error in the file system, after which it is read-only, for open files too.
    pub(crate) fn become_read_only(&self) {
        let name = self.device.strip_prefix("/dev/").unwrap();
        fs::write(format!("/sys/fs/ext4/{name}/trigger_fs_error"), "1").unwrap();
    }

    /// Checks and mounts the file system again. All its files must be closed.
    pub(crate) fn mount_again(&mut self, after_error: &str) {
        assert!(run("umount", &[], &self.path()));
        // Its status says that it has corrected errors.
        run("fsck.ext4", &["-p"], &self.disk());
        assert!(self.mount_with(after_error));
    }

    /// Takes away the disk, so that every read and write of it fails with EIO. Returns what it held.
    pub(crate) fn fail(&self) -> Contents {
        let file = File::options()
            .read(true)
            .write(true)
            .open(self.disk())
            .unwrap();
        let mut contents = vec![0; (DISK_BYTES - REST_BYTES) as usize];
        file.read_exact_at(&mut contents, REST_BYTES).unwrap();
        let name = self.device.strip_prefix("/dev/").unwrap();
        let size = format!("/sys/block/{name}/size");
        let blocks = (REST_BYTES / 512).to_string();
        // The kernel may write a page in between, which makes the file longer.
        while fs::read_to_string(&size).unwrap().trim() != blocks {
            file.set_len(REST_BYTES).unwrap();
            assert!(run("losetup", &["-c"], Path::new(&self.device)));
        }
        Contents(contents)
    }

    /// Gives the disk back with what it held.
    pub(crate) fn heal(&self, contents: Contents) {
        let file = File::options().write(true).open(self.disk()).unwrap();
        file.write_all_at(&contents.0, REST_BYTES).unwrap();
        assert!(run("losetup", &["-c"], Path::new(&self.device)));
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        run("umount", &["-l"], &self.path());
    }
}

/// The contents of a disk before it failed.
pub(crate) struct Contents(Vec<u8>);

/// Runs a program with a path as its last argument. Returns `true` if it succeeds.
fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .arg(path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
