//! One core for the switch, the others for the callers.
//!
//! A process inherits the cores of the thread that starts it, and so does a thread; so the switch is started from a thread that may run on its
//! core alone, and its runtime makes as many workers as it has cores: one.

use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::BenchError;

/// Who runs where.
#[derive(Clone, Copy)]
pub(super) struct Cores {
    switch: usize,
    all: CpuSet,
}

impl Cores {
    /// Divides the cores that this process may use: the last for the switch.
    pub(super) fn divided() -> Result<Self, BenchError> {
        let all = sched_getaffinity(None).map_err(|error| BenchError::Pin(error.into()))?;
        let switch = last_of_several(&all).ok_or(BenchError::OneCore)?;
        Ok(Self { switch, all })
    }

    /// Number of the switch's core.
    pub(super) fn switch(&self) -> usize {
        self.switch
    }

    /// How many the callers have.
    pub(super) fn for_callers(&self) -> usize {
        self.all.count() as usize - 1
    }

    /// Moves every thread of this process to the callers' cores.
    pub(super) fn move_callers(&self) -> Result<(), BenchError> {
        let mut cores = self.all;
        cores.unset(self.switch);
        let threads = || -> io::Result<()> {
            for thread in std::fs::read_dir("/proc/self/task")? {
                let Some(id) = thread?.file_name().to_str().and_then(|id| id.parse().ok()).and_then(Pid::from_raw)
                else {
                    continue;
                };
                match sched_setaffinity(Some(id), &cores) {
                    Err(rustix::io::Errno::SRCH) => {} // it ended meanwhile
                    moved => moved?,
                }
            }
            Ok(())
        };
        threads().map_err(BenchError::Pin)
    }

    /// Does `work`, which starts a process, on the switch's core.
    pub(super) fn on_switch<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let home = sched_getaffinity(None)?;
        let mut core = CpuSet::new();
        core.set(self.switch);
        sched_setaffinity(None, &core)?;
        let done = work();
        sched_setaffinity(None, &home)?;
        done
    }
}

/// The last core of a set that has at least two.
fn last_of_several(cores: &CpuSet) -> Option<usize> {
    let last = (0..CpuSet::MAX_CPU).rev().find(|core| cores.is_set(*core))?;
    (cores.count() > 1).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_cannot_be_divided() {
        let mut cores = CpuSet::new();
        assert_eq!(last_of_several(&cores), None);
        cores.set(2);
        assert_eq!(last_of_several(&cores), None);
        cores.set(0);
        assert_eq!(last_of_several(&cores), Some(2));
    }

    #[test]
    fn a_process_is_started_on_the_switchs_core() -> Result<(), BenchError> {
        let Ok(cores) = Cores::divided() else {
            assert_eq!(sched_getaffinity(None).map(|all| all.count()).ok(), Some(1), "refused without reason");
            return Ok(());
        };
        let before = sched_getaffinity(None).map_err(|error| BenchError::Pin(error.into()))?;
        let inside = cores.on_switch(|| Ok(sched_getaffinity(None)?)).map_err(BenchError::Pin)?;
        assert!(inside.count() == 1 && inside.is_set(cores.switch()));
        let after = sched_getaffinity(None).map_err(|error| BenchError::Pin(error.into()))?;
        assert!(after.count() == before.count());
        Ok(())
    }
}
