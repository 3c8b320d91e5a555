// One group of lanes. Before this is included: LANES, TARGET (an attribute) and NAME(x).

typedef uint64_t NAME(vector) __attribute__((vector_size(8 * LANES)));

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define MIX(a, b, c, d, x, y)                                                                      \
    v[a] += v[b] + (x);                                                                            \
    v[d] = ROTATE(v[d] ^ v[a], 32);                                                                \
    v[c] += v[d];                                                                                  \
    v[b] = ROTATE(v[b] ^ v[c], 24);                                                                \
    v[a] += v[b] + (y);                                                                            \
    v[d] = ROTATE(v[d] ^ v[a], 16);                                                                \
    v[c] += v[d];                                                                                  \
    v[b] = ROTATE(v[b] ^ v[c], 63);
#define ROUND(s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15)                \
    MIX(0, 4, 8, 12, m[s0], m[s1])                                                                 \
    MIX(1, 5, 9, 13, m[s2], m[s3])                                                                 \
    MIX(2, 6, 10, 14, m[s4], m[s5])                                                                \
    MIX(3, 7, 11, 15, m[s6], m[s7])                                                                \
    MIX(0, 5, 10, 15, m[s8], m[s9])                                                                \
    MIX(1, 6, 11, 12, m[s10], m[s11])                                                              \
    MIX(2, 7, 8, 13, m[s12], m[s13])                                                               \
    MIX(3, 4, 9, 14, m[s14], m[s15])

/// The compression function on every lane: `h` takes in the blocks at `blocks`. `counted` is how
/// many bytes were taken in with this block, `last` is all ones for a lane's last block, and a lane
/// whose `active` is zero keeps its state.
TARGET static void NAME(compress)(
    NAME(vector) h[8], const uint8_t *const blocks[LANES], const NAME(vector) *counted,
    const NAME(vector) *last, const NAME(vector) *active)
{
    NAME(vector) m[16];
    for (int word = 0; word < 16; word++) {
        uint64_t words[LANES];
        for (int lane = 0; lane < LANES; lane++)
            memcpy(&words[lane], blocks[lane] + 8 * word, 8);
        memcpy(&m[word], words, sizeof words);
    }
    NAME(vector) v[16];
    for (int i = 0; i < 8; i++) {
        v[i] = h[i];
        v[i + 8] = (NAME(vector)){} + start[i];
    }
    v[12] ^= *counted;
    v[14] ^= *last;
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
    ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4)
    ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8)
    ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13)
    ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9)
    ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11)
    ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10)
    ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5)
    ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0)
    ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3)
    for (int i = 0; i < 8; i++) h[i] ^= (v[i] ^ v[i + 8]) & *active;
}

/// Hashes at most LANES inputs, of which the longest has `longest` bytes.
TARGET static void NAME(group)(
    const uint8_t *const inputs[], const size_t lengths[], size_t count, size_t longest,
    const uint64_t person[2], uint8_t *hashes)
{
    NAME(vector) h[8];
    for (int i = 0; i < 8; i++) h[i] = (NAME(vector)){} + start[i];
    h[0] ^= PARAMETERS;
    h[6] ^= person[0];
    h[7] ^= person[1];
    _Alignas(64) uint8_t padded[LANES][BLOCK];
    for (size_t taken = 0; taken == 0 || taken < longest; taken += BLOCK) {
        const uint8_t *blocks[LANES];
        uint64_t counted[LANES], last[LANES], active[LANES];
        for (size_t lane = 0; lane < LANES; lane++) {
            size_t length = lane < count ? lengths[lane] : 0;
            size_t left = length > taken ? length - taken : 0;
            active[lane] = left > 0 || taken == 0 ? ~(uint64_t)0 : 0;
            last[lane] = left <= BLOCK ? ~(uint64_t)0 : 0;
            counted[lane] = left <= BLOCK ? length : taken + BLOCK;
            if (left >= BLOCK) {
                blocks[lane] = inputs[lane] + taken;
                continue;
            }
            if (left > 0) memcpy(padded[lane], inputs[lane] + taken, left);
            memset(padded[lane] + left, 0, BLOCK - left);
            blocks[lane] = padded[lane];
        }
        NAME(vector) counts, ends, actives;
        memcpy(&counts, counted, sizeof counts);
        memcpy(&ends, last, sizeof ends);
        memcpy(&actives, active, sizeof actives);
        NAME(compress)(h, blocks, &counts, &ends, &actives);
    }
    for (size_t lane = 0; lane < count; lane++)
        for (int word = 0; word < 4; word++) {
            uint64_t value = h[word][lane];
            memcpy(hashes + 32 * lane + 8 * word, &value, 8);
        }
}

#undef ROTATE
#undef MIX
#undef ROUND
#undef LANES
#undef TARGET
#undef NAME
