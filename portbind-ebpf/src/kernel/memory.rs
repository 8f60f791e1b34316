//! Reads of foreign memory: the kernel's, and the current task's.

#![expect(unsafe_code, reason = "the helpers take addresses")]

use core::ffi::c_void;
use core::mem::MaybeUninit;

use aya_ebpf::helpers::generated;
use portbind_abi::{self as abi, COMM_LEN};

use super::volatile::opaque;

/// An address in the kernel. Reading through it never faults: unreadable memory reads as zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ptr(pub(crate) u64);

/// Types that may be read from foreign memory: any bit pattern is a value.
pub(crate) trait Plain: Copy {}
impl Plain for u8 {}
impl Plain for u16 {}
impl Plain for u32 {}
impl Plain for i32 {}
impl Plain for u64 {}
impl Plain for abi::Address {}
impl Plain for [u8; COMM_LEN] {}
impl Plain for [u64; 2] {}
#[cfg(not(feature = "bounded"))]
impl Plain for [u64; 32] {}

impl Ptr {
    pub(crate) const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The address `offset` bytes further.
    pub(crate) const fn plus(self, offset: u32) -> Self {
        Self(self.0.wrapping_add(offset as u64))
    }

    /// Reads a value from kernel memory.
    #[inline(always)]
    pub(crate) fn read<T: Plain>(self, offset: u32) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the destination is a live local of the size passed. The helper checks the source and writes the whole
        // destination: zeros if the source is unreadable. Any bit pattern is a `Plain` value.
        unsafe {
            generated::bpf_probe_read_kernel(
                value.as_mut_ptr().cast(),
                size_of::<T>() as u32,
                self.plus(offset).0 as *const c_void,
            );
            value.assume_init()
        }
    }

    /// Reads a value from the current task's memory.
    #[inline(always)]
    pub(crate) fn read_user<T: Plain>(self, offset: u32) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: as in `read`.
        unsafe {
            generated::bpf_probe_read_user(
                value.as_mut_ptr().cast(),
                size_of::<T>() as u32,
                self.plus(offset).0 as *const c_void,
            );
            value.assume_init()
        }
    }

    /// Reads a value from either memory.
    #[inline(always)]
    pub(crate) fn read_in<T: Plain>(self, memory: Memory, offset: u32) -> T {
        match memory {
            Memory::Kernel => self.read(offset),
            Memory::User => self.read_user(offset),
        }
    }

    /// Follows the pointer at `offset`.
    #[inline(always)]
    pub(crate) fn follow(self, offset: u32) -> Self {
        Self(self.read(offset))
    }

    /// Reads `width` bits (at most 8, within one byte) at a bit offset.
    #[inline(always)]
    pub(crate) fn bits(self, bit_offset: u32, width: u32) -> u8 {
        (self.read::<u8>(bit_offset >> 3) >> (bit_offset & 7)) & ((1 << width) - 1)
    }
}

/// A sockaddr as read from memory, in words: an IPv6 sockaddr fills all words; an IPv4 one is followed by padding.
pub(crate) type Sockaddr = [u32; 7];
/// A sockaddr of IPv4.
type ShortSockaddr = [u32; 4];

/// Reads a sockaddr of an internet family. If it is shorter than an IPv6 sockaddr, readable memory may end right after
/// it.
#[inline(always)]
pub(crate) fn read_sockaddr(at: Ptr, memory: Memory) -> Sockaddr {
    let mut value = MaybeUninit::<Sockaddr>::uninit();
    let to: *mut c_void = value.as_mut_ptr().cast();
    let from = at.0 as *const c_void;
    // SAFETY: the destination is a live local of at least `len` bytes; the helpers check the source and write all `len`
    // bytes: zeros if the source is unreadable.
    let read = |len: usize| unsafe { probe_read(to, len as u32, from, memory) };
    if read(size_of::<Sockaddr>()) != 0 {
        read(size_of::<ShortSockaddr>());
    }
    // SAFETY: the first call wrote the whole value, if only zeros, and any bit pattern is a value.
    unsafe { value.assume_init() }
}

/// Space for the first words of an object.
#[cfg(not(feature = "bounded"))]
pub(crate) type Room<const N: usize> = MaybeUninit<[u64; N]>;
/// Empty: without bpf_loop (before 5.17), loops leave no space on the stack.
#[cfg(feature = "bounded")]
pub(crate) struct Room<const N: usize>;

/// Space on the stack.
#[inline(always)]
pub(crate) const fn room<const N: usize>() -> Room<N> {
    #[cfg(not(feature = "bounded"))]
    return MaybeUninit::uninit();
    #[cfg(feature = "bounded")]
    Room
}

/// The first words of an object in the kernel, read at once: a single read costs as much as reading all words.
#[cfg(not(feature = "bounded"))]
pub(crate) struct Block<'a, const N: usize>(&'a [u64; N]);
/// An object in the kernel, read field by field.
#[cfg(feature = "bounded")]
pub(crate) struct Block<'a, const N: usize>(Ptr, core::marker::PhantomData<&'a [u64; N]>);

#[cfg(not(feature = "bounded"))]
impl<'a, const N: usize> Block<'a, N> {
    /// Reads the beginning of an object into `room`. The words are not moved: they would take up the stack twice.
    #[inline(always)]
    pub(crate) fn read(room: &'a mut Room<N>, object: Ptr) -> Self {
        // SAFETY: as in `Ptr::read`.
        unsafe {
            probe_read(room.as_mut_ptr().cast(), len::<N>(), object.0 as *const c_void, Memory::Kernel);
            Self(room.assume_init_ref())
        }
    }

    /// Reads the beginning of an object into words of a record. If the object is unreadable at full length, only the
    /// first `M` words are read: an object of a smaller kind may lie at the end of memory.
    #[inline(always)]
    pub(crate) fn read_to<const M: usize>(words: &'a mut [u64; N], object: Ptr) -> Self {
        const { assert!(M <= N) };
        let (to, from) = (words.as_mut_ptr().cast(), object.0 as *const c_void);
        // SAFETY: the destination is a live array of at least `M` words; the helper checks the source.
        unsafe {
            if M < N && probe_read(to, len::<N>(), from, Memory::Kernel) == 0 {
                return Self(words);
            }
            probe_read(to, len::<M>(), from, Memory::Kernel);
        }
        Self(words)
    }

    /// A field at `offset`, one of the fields that [`Layout::sock_fits`](portbind_abi::layout::Layout::sock_fits)
    /// checks.
    #[inline(always)]
    pub(crate) fn get<T: Plain>(&self, offset: u32) -> T {
        let first: *const u8 = self.0.as_ptr().cast();
        // SAFETY: the loader ensures that the field lies within the words, and the verifier that the words have been
        // read. The kernel aligns its fields, and the words are aligned like an object. Any bit pattern is a `Plain`
        // value. The volatile read keeps the words in memory.
        unsafe { core::ptr::read_volatile(first.add(offset as usize).cast()) }
    }
}

#[cfg(not(feature = "bounded"))]
const fn len<const N: usize>() -> u32 {
    (N * size_of::<u64>()) as u32
}

#[cfg(feature = "bounded")]
impl<'a, const N: usize> Block<'a, N> {
    /// Stores the address of the object.
    #[inline(always)]
    pub(crate) fn read(_room: &'a mut Room<N>, object: Ptr) -> Self {
        Self(object, core::marker::PhantomData)
    }

    /// Stores the address of the object.
    #[inline(always)]
    pub(crate) fn read_to<const M: usize>(_words: &'a mut [u64; N], object: Ptr) -> Self {
        Self(object, core::marker::PhantomData)
    }

    /// A field at `offset`.
    #[inline(always)]
    pub(crate) fn get<T: Plain>(&self, offset: u32) -> T {
        self.0.read(offset)
    }
}

impl<const N: usize> Block<'_, N> {
    /// Reads `width` bits (at most 8, within one byte) at a bit offset.
    #[inline(always)]
    pub(crate) fn bits(&self, bit_offset: u32, width: u32) -> u8 {
        (self.get::<u8>(bit_offset >> 3) >> (bit_offset & 7)) & ((1 << width) - 1)
    }
}

/// Where bytes are copied from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Kernel memory.
    Kernel,
    /// The memory of the current task.
    User,
}

/// Reads `len` bytes; returns a value other than 0 if the source is unreadable.
///
/// # Safety
/// `to` is valid for writes of `len` bytes.
#[inline(always)]
unsafe fn probe_read(to: *mut c_void, len: u32, from: *const c_void, memory: Memory) -> i64 {
    // SAFETY: guaranteed by the caller; the helpers check the source.
    unsafe {
        match memory {
            Memory::Kernel => generated::bpf_probe_read_kernel(to, len, from),
            Memory::User => generated::bpf_probe_read_user(to, len, from),
        }
    }
}

/// Copies up to `N` bytes, a power of two, straight into a record; returns the number of bytes copied.
#[inline(always)]
pub(crate) fn copy<const N: usize>(to: &mut [u8; N], from: Ptr, len: u32, memory: Memory) -> u32 {
    const { assert!(N.is_power_of_two()) };
    // The verifier must see the bound on the very register that is passed.
    let len = opaque(u64::from(len)) as u32 & (N as u32 * 2 - 1);
    if len == 0 || len > N as u32 {
        return 0;
    }
    let (to, from) = (to.as_mut_ptr().cast(), from.0 as *const c_void);
    // SAFETY: `len` is at most the size of the destination; the helpers check the source.
    let failed = unsafe { probe_read(to, len, from, memory) };
    if failed == 0 { len } else { 0 }
}

/// Copies one component of a path in the kernel into a record, cut to fit and closed by a NUL.
#[inline(always)]
pub(crate) fn copy_path_name(to: &mut [u8; abi::EXE_NAME_LEN], from: Ptr) {
    // SAFETY: the destination has the size passed; the helper checks the source and closes the output with a NUL.
    unsafe {
        generated::bpf_probe_read_kernel_str(
            to.as_mut_ptr().cast(),
            abi::EXE_NAME_LEN as u32,
            from.0 as *const c_void,
        )
    };
}
