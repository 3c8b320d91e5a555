#include "blake2.h"

#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "BLAKE2b's words are little-endian; this code takes them as they lie in memory"
#endif

#define BLOCK 128
#define LANES_MAX 8
/// 32 bytes of hash, no key, one leaf, one level (RFC 7693, section 2.5).
#define PARAMETERS 0x01010020ull

static const uint64_t start[8] = {
    0x6a09e667f3bcc908ull, 0xbb67ae8584caa73bull, 0x3c6ef372fe94f82bull, 0xa54ff53a5f1d36f1ull,
    0x510e527fade682d1ull, 0x9b05688c2b3e6c1full, 0x1f83d9abfb41bd6bull, 0x5be0cd19137e2179ull,
};

#define LANES 4
#define TARGET
#define NAME(x) portable_##x
#include "lanes.h"

#if defined(__x86_64__)
#define LANES 4
#define TARGET __attribute__((target("avx2")))
#define NAME(x) avx2_##x
#include "lanes.h"

#define LANES 8
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#define NAME(x) avx512_##x
#include "lanes.h"
#endif

int offpeak_blake2_best_path(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return OFFPEAK_BLAKE2_AVX512;
    if (__builtin_cpu_supports("avx2")) return OFFPEAK_BLAKE2_AVX2;
#endif
    return OFFPEAK_BLAKE2_PORTABLE;
}

static void hash_group(
    const uint8_t *const inputs[], const size_t lengths[], size_t count, size_t longest,
    const uint64_t person[2], uint8_t *hashes, int path)
{
    switch (path) {
#if defined(__x86_64__)
    case OFFPEAK_BLAKE2_AVX512:
        avx512_group(inputs, lengths, count, longest, person, hashes);
        return;
    case OFFPEAK_BLAKE2_AVX2:
        avx2_group(inputs, lengths, count, longest, person, hashes);
        return;
#endif
    default: portable_group(inputs, lengths, count, longest, person, hashes);
    }
}

/// The path to take, and how many lanes it has.
static int possible_path(int path, size_t *lanes)
{
    int best = offpeak_blake2_best_path();
    int taken = path < best ? path : best;
    *lanes = taken == OFFPEAK_BLAKE2_AVX512 ? 8 : 4;
    return taken;
}

void offpeak_blake2_hash(
    const uint8_t *bytes, const size_t *ends, size_t count, const uint8_t *personal,
    uint8_t *hashes, int path)
{
    size_t lanes;
    path = possible_path(path, &lanes);
    uint64_t person[2];
    memcpy(person, personal, sizeof person);
    size_t begin = 0;
    for (size_t first = 0; first < count; first += lanes) {
        const uint8_t *inputs[LANES_MAX];
        size_t lengths[LANES_MAX];
        size_t group = count - first < lanes ? count - first : lanes;
        size_t longest = 0;
        for (size_t lane = 0; lane < group; lane++) {
            inputs[lane] = bytes + begin;
            lengths[lane] = ends[first + lane] - begin;
            begin = ends[first + lane];
            if (lengths[lane] > longest) longest = lengths[lane];
        }
        hash_group(inputs, lengths, group, longest, person, hashes + 32 * first, path);
    }
}

void offpeak_blake2_hash_pairs(
    const uint8_t *bytes, size_t count, const uint8_t *personal, uint8_t *hashes, int path)
{
    size_t lanes;
    path = possible_path(path, &lanes);
    uint64_t person[2];
    memcpy(person, personal, sizeof person);
    for (size_t first = 0; first < count; first += lanes) {
        const uint8_t *inputs[LANES_MAX];
        size_t lengths[LANES_MAX];
        size_t group = count - first < lanes ? count - first : lanes;
        for (size_t lane = 0; lane < group; lane++) {
            inputs[lane] = bytes + 64 * (first + lane);
            lengths[lane] = 64;
        }
        hash_group(inputs, lengths, group, 64, person, hashes + 32 * first, path);
    }
}
