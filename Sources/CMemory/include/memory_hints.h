// Hints to processor and system about memory: they change nothing but how long things take.
#ifndef OFFPEAK_MEMORY_HINTS_H
#define OFFPEAK_MEMORY_HINTS_H

#include <stddef.h>
#include <stdint.h>

/// Brings the bytes from `address` on into the caches. Any address will do.
static inline void offpeak_prefetch(const void *address, size_t count)
{
    uintptr_t line = (uintptr_t)address & ~(uintptr_t)63;
    uintptr_t end = (uintptr_t)address + count;
    for (; line < end; line += 64) __builtin_prefetch((const void *)line, 0, 3);
}

/// Says that memory will be read here and there for long: the system may map it in large pages, as
/// far as it lies on their bounds and nothing was written to it yet.
void offpeak_prefer_large_pages(void *address, size_t count);

#endif
