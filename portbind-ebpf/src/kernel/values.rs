//! Values of maps, changed where they are.

#![expect(unsafe_code, reason = "maps hand out addresses")]

use core::ptr;

use crate::maps::{BLANK, Blank};

/// A map whose values are changed where they are.
pub(crate) trait InPlace<K, V> {
    /// The value of a key. Others may change it at the same time: it is read and written field by field.
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
        // SAFETY: as above.
        self.get_ptr_mut(key).map(|value| unsafe { &mut *value })
    }
}

impl<V> InPlace<u32, V> for aya_ebpf::maps::PerCpuArray<V> {
    #[inline(always)]
    fn value(&self, key: &u32) -> Option<&mut V> {
        // SAFETY: as above; the value is this CPU's, and the program stays on it.
        self.get_ptr_mut(*key).map(|value| unsafe { &mut *value })
    }
}

/// `BPF_NOEXIST` (include/uapi/linux/bpf.h).
const NEW_ONLY: u64 = 1;

/// A map to which a value is added that is all zero: on the stack there is no room for one.
pub(crate) trait InPlaceOrNew<K, V>: InPlace<K, V> {
    /// Adds a value, unless there is one.
    fn add_blank(&self, key: &K, blank: &V);

    /// The value of a key, which is all zero if there was none; `None` if the map is full.
    #[inline(always)]
    fn value_or_new(&self, key: &K) -> Option<&mut V> {
        const { assert!(size_of::<V>() <= size_of::<Blank>()) };
        if self.value(key).is_none() {
            // SAFETY: the value is smaller than what lies there, which nobody writes, and any bytes are integers.
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
        // SAFETY: a key is written and deleted by its own task only, so nobody changes the value meanwhile.
        unsafe { self.get(&task) }.copied()
    }
}
