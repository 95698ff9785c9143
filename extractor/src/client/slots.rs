//! A counter of free places, so that recognition does not starve the digital files.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A fixed number of places; [`Slots::take`] waits for one.
#[derive(Debug)]
pub struct Slots {
    total: usize,
    free: Mutex<usize>,
    freed: Condvar,
}

impl Slots {
    /// At least one place.
    pub fn new(total: usize) -> Slots {
        let total = total.max(1);
        Slots { total, free: Mutex::new(total), freed: Condvar::new() }
    }

    /// How many places there are, taken or not.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Waits for a place; `None` when `cancel` became true first. The place is given back when
    /// the value is dropped.
    pub fn take(&self, cancel: &dyn Fn() -> bool) -> Option<Slot<'_>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            if cancel() {
                return None;
            }
            let waited = self.freed.wait_timeout(free, Duration::from_millis(100));
            free = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *free -= 1;
        Some(Slot { slots: self })
    }
}

/// A taken place.
#[derive(Debug)]
pub struct Slot<'a> {
    slots: &'a Slots,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.slots.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn no_more_than_the_total_are_inside() {
        let slots = Slots::new(2);
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let _slot = slots.take(&|| false).unwrap();
                        most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_cancelled_wait_ends_without_a_place() {
        let slots = Slots::new(1);
        let taken = slots.take(&|| false).unwrap();
        assert!(slots.take(&|| true).is_none());
        drop(taken);
        assert!(slots.take(&|| true).is_some());
    }
}
