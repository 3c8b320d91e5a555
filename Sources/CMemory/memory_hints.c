#include "memory_hints.h"

#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20 };

void offpeak_prefer_large_pages(void *address, size_t count)
{
#ifdef MADV_HUGEPAGE
    uintptr_t start = ((uintptr_t)address + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)address + count) & ~(uintptr_t)(LARGE_PAGE - 1);
    // Where the system won't, small pages do.
    if (start < end) (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)address;
    (void)count;
#endif
}
