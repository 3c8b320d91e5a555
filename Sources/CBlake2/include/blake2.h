// BLAKE2b-256 (RFC 7693) with a personalization, over many independent inputs at a time: one input
// in each lane of the processor's vectors.
#ifndef OFFPEAK_BLAKE2_H
#define OFFPEAK_BLAKE2_H

#include <stddef.h>
#include <stdint.h>

/// How the lanes are worked. All give the same hashes.
enum offpeak_blake2_path {
    /// Any processor.
    OFFPEAK_BLAKE2_PORTABLE = 0,
    /// Four lanes in AVX2.
    OFFPEAK_BLAKE2_AVX2 = 1,
    /// Eight lanes in AVX-512.
    OFFPEAK_BLAKE2_AVX512 = 2,
};

/// The fastest path that this processor has.
int offpeak_blake2_best_path(void);

/// Hashes `count` inputs that lie one behind the other: the i-th ends before bytes[ends[i]], and
/// the first begins at bytes[0]. `hashes` gets 32 bytes for each; `personal` has 16 bytes.
/// A path that the processor doesn't have is replaced by the best one that it has.
void offpeak_blake2_hash(
    const uint8_t *bytes, const size_t *ends, size_t count, const uint8_t *personal,
    uint8_t *hashes, int path);

/// The same for inputs of 64 bytes each.
void offpeak_blake2_hash_pairs(
    const uint8_t *bytes, size_t count, const uint8_t *personal, uint8_t *hashes, int path);

#endif
