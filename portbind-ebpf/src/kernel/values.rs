//! Values of maps, changed in place.

#![expect(unsafe_code, reason = "maps hand out addresses")]

use core::ptr;

use crate::maps::{BLANK, Blank};

/// A map whose values are changed in place.
pub(crate) trait InPlace<K, V> {
    /// The value of a key. Other CPUs may change it at the same time: it is read and written field by field.
    fn value(&self, key: &K) -> Option<&mut V>;
}

impl<K, V> InPlace<K, V> for aya_ebpf::maps::LruHashMap<K, V> {
    #[inline(always)]
    fn value(&self, key: &K) -> Option<&mut V> {
        // SAFETY: the kernel frees no value before the program ends, and any bytes are integers.
        self.get_ptr_mut(key).map(|value| unsafe { &mut *value })
    }
}

impl<K, V> InPlace<K, V> for aya_ebpf::maps::HashMap<K, V> {
    #[inline(always)]
    fn value(&self, key: &K) -> Option<&mut V> {
        // SAFETY: as in the first `value`.
        self.get_ptr_mut(key).map(|value| unsafe { &mut *value })
    }
}

impl<V> InPlace<u32, V> for aya_ebpf::maps::PerCpuArray<V> {
    #[inline(always)]
    fn value(&self, key: &u32) -> Option<&mut V> {
        // SAFETY: as in the first `value`; the value belongs to this CPU, and the program stays on this CPU.
        self.get_ptr_mut(*key).map(|value| unsafe { &mut *value })
    }
}

/// `BPF_NOEXIST` (include/uapi/linux/bpf.h).
const NEW_ONLY: u64 = 1;

/// A map that can add a value of zeros, copied from the map `BLANK`: the stack has no room for a value.
pub(crate) trait InPlaceOrNew<K, V>: InPlace<K, V> {
    /// Adds a value, unless the key exists.
    fn add_blank(&self, key: &K, blank: &V);

    /// The value of a key, all zero if the key is new; `None` if the map is full.
    #[inline(always)]
    fn value_or_new(&self, key: &K) -> Option<&mut V> {
        const { assert!(size_of::<V>() <= size_of::<Blank>()) };
        if self.value(key).is_none() {
            // SAFETY: the value is smaller than the zeros in `BLANK`, which no program writes, and any bytes are valid
            // integers.
            self.add_blank(key, unsafe { &*ptr::from_ref(BLANK.get(0)?).cast() });
        }
        self.value(key)
    }
}

impl<K, V> InPlaceOrNew<K, V> for aya_ebpf::maps::HashMap<K, V> {
    #[inline(always)]
    fn add_blank(&self, key: &K, blank: &V) {
        let _ = self.insert(key, blank, NEW_ONLY);
    }
}

impl<K, V> InPlaceOrNew<K, V> for aya_ebpf::maps::LruHashMap<K, V> {
    #[inline(always)]
    fn add_blank(&self, key: &K, blank: &V) {
        let _ = self.insert(key, blank, NEW_ONLY);
    }
}

/// A map keyed by task.
pub(crate) trait ByTask<V> {
    /// A copy of the value of a task.
    fn of_task(&self, task: u64) -> Option<V>;
}

impl<V: Copy> ByTask<V> for aya_ebpf::maps::HashMap<u64, V> {
    #[inline(always)]
    fn of_task(&self, task: u64) -> Option<V> {
        // SAFETY: only a key's own task writes and deletes the key, so the value does not change meanwhile.
        unsafe { self.get(&task) }.copied()
    }
}
