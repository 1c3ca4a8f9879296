//! Memory that nobody uses: of the machine, and of the control groups that limit this process.

use crate::store::control_groups::{memory_limits, MemoryLimit};
use std::fs;

/// Part of the machine's memory, and of each limit, that stays free.
const RESERVE: u64 = 16;

/// Returns whether `bytes` fit into free memory, and a reserve stays free. If the system cannot tell, they do not.
pub fn is_for(bytes: u64) -> bool {
    let machine = fs::read_to_string("/proc/meminfo").is_ok_and(|text| fits(&text, bytes));
    machine && memory_limits().iter().all(|limit| leaves(limit, bytes))
}

/// `text` is that of `/proc/meminfo`.
fn fits(text: &str, bytes: u64) -> bool {
    let find = |name: &str| -> Option<u64> {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
    };
    match (find("MemTotal:"), find("MemFree:")) {
        (Some(total), Some(free)) => free >= bytes.saturating_add(total / RESERVE),
        _ => false,
    }
}

fn leaves(limit: &MemoryLimit, bytes: u64) -> bool {
    let most = limit.bytes - limit.bytes / RESERVE;
    limit.used.is_some_and(|used| used.saturating_add(bytes) <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sixteenth_of_the_memory_stays_free() {
        let text = "MemTotal:      16000 kB\nMemFree:        3000 kB\nMemAvailable:   7000 kB\n";
        assert!(fits(text, 2000 << 10));
        assert!(!fits(text, 2001 << 10));
        assert!(!fits("", 0));
        let limit = MemoryLimit { bytes: 1600, used: Some(100) };
        assert!(leaves(&limit, 1400));
        assert!(!leaves(&limit, 1401));
        assert!(!leaves(&MemoryLimit { used: None, ..limit }, 0));
    }

    #[test]
    fn no_system_has_memory_without_end() {
        assert!(!is_for(u64::MAX));
    }
}
