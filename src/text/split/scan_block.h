/* The scanners, 64 bytes a step: each class of characters becomes a mask of bits, words begin where
 * masks say so, and the bits become ends. The file that includes this defines NT_SCAN_BLOCKS, the
 * name of the function made here, and is compiled for its instruction set. */
#include "text/split/scan_blocks.h"
#include "text/split/scan_bytes.h"
#include "text/split/scan_char.h"

#define ALWAYS static inline __attribute__((always_inline))

/* Masks of a block's bytes; all bytes of a character have its class. */
typedef struct masks {
    size_t n;                       /* bytes: whole characters */
    uint64_t valid;                 /* the first n */
    uint64_t inner;                 /* second and later bytes of characters */
    uint64_t letter, number, space; /* what is none of these is `other` */
    uint64_t upper;                 /* o200k: letters that are not upper are lower */
    uint64_t newline, blank;        /* \r \n; ' ' */
    uint64_t apostrophe, slash;
    uint64_t space_one;              /* white space of one byte */
    uint64_t space_two, space_three; /* first bytes of longer white space */
    bool foreign;                    /* o200k: a letter without case, or a mark */
} masks;

ALWAYS uint64_t low_bits(size_t n) {
    return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
}

/* The characters beyond ASCII, whose bytes are `high`, one after another. `tail`: after the block
 * there is nothing; otherwise a character that does not end in the block is left to the next. */
static __attribute__((noinline)) void classify_high(masks *b, uint64_t high, const char *text,
                                                    nt_scan_kind kind, bool tail) {
    const unsigned numbers = kind == NT_SCAN_GPT2_DIGITS ? NT_DIGIT : NT_NUMBER;
    masks found = {.n = b->n};
    while (high) {
        size_t i = (size_t)__builtin_ctzll(high), length = nt_scan_length(text[i]);
        if (i + length > found.n) {
            if (!tail) {
                found.n = i;
                break;
            }
            length = found.n - i;
        }
        unsigned class = nt_scan_class(&length, text + i, length);
        uint64_t mask = low_bits(length) << i, first = high & -high;
        found.inner |= mask ^ first;
        found.letter |= class & NT_LETTER ? mask : 0;
        found.number |= class & numbers ? mask : 0;
        found.upper |= class & NT_UPPER ? mask : 0;
        if (class & NT_SPACE) {
            found.space |= mask;
            *(length == 2 ? &found.space_two : &found.space_three) |= first;
        }
        unsigned cases = class & (NT_LETTER | NT_UPPER | NT_LOWER | NT_MARK);
        found.foreign |= cases == NT_LETTER || cases == NT_MARK;
        high &= ~mask;
    }
    b->n = found.n, b->inner = found.inner, b->foreign = found.foreign;
    b->letter |= found.letter, b->number |= found.number, b->upper |= found.upper;
    b->space |= found.space, b->space_two = found.space_two, b->space_three = found.space_three;
}

/* Classes of text [n], n <= 64, of which 64 bytes can be read. */
ALWAYS masks classify(const char *text, size_t n, nt_scan_kind kind, bool tail) {
    bool gpt2 = kind == NT_SCAN_GPT2 || kind == NT_SCAN_GPT2_DIGITS;
    nt_bytes bytes = nt_bytes_load(text);
    masks b = {.n = n};
    b.letter = nt_bytes_within(nt_bytes_or(bytes, 0x20), 'a', 'z');
    b.number = nt_bytes_within(bytes, '0', '9');
    b.blank = nt_bytes_equal(bytes, ' ');
    b.space = b.blank | nt_bytes_within(bytes, '\t', '\r');
    b.space_one = b.space;
    b.apostrophe = nt_bytes_equal(bytes, '\'');
    if (!gpt2) b.newline = nt_bytes_equal(bytes, '\n') | nt_bytes_equal(bytes, '\r');
    if (kind == NT_SCAN_O200K) {
        b.upper = nt_bytes_within(bytes, 'A', 'Z');
        b.slash = nt_bytes_equal(bytes, '/');
    }
    uint64_t high = nt_bytes_high(bytes) & low_bits(n);
    if (high) { /* by way of a copy: the masks stay in registers */
        masks copy = b;
        classify_high(&copy, high, text, kind, tail);
        b = copy;
    }
    b.valid = low_bits(b.n);
    if (b.n < 64) {
        b.letter &= b.valid, b.number &= b.valid, b.space &= b.valid, b.space_one &= b.valid;
        b.upper &= b.valid, b.newline &= b.valid, b.blank &= b.valid;
        b.apostrophe &= b.valid, b.slash &= b.valid;
    }
    return b;
}

/* What stands right after the mask's bytes; `carry`: so does the block's first. */
ALWAYS uint64_t after(uint64_t mask, uint64_t carry) {
    return mask << 1 | carry;
}

/* First bytes of the white space, of these kinds, that has what `next` says behind it. */
ALWAYS uint64_t spaces_before(const masks *b, uint64_t ones, uint64_t next) {
    return (ones & next >> 1) | (b->space_two & next >> 2) | (b->space_three & next >> 3);
}

/* Short forms: the apostrophes of `at` are looked at in the text, words' starts set right. Those of
 * o200k belong to the word before them. */
ALWAYS uint64_t short_forms(uint64_t starts, uint64_t at, nt_scan_carry *c, const char *text,
                            size_t n, size_t base, nt_scan_kind kind) {
    bool gpt2 = kind == NT_SCAN_GPT2 || kind == NT_SCAN_GPT2_DIGITS;
    size_t keep = kind == NT_SCAN_O200K ? 0 : 1; /* is the apostrophe's start one? */
    if (c->short_form >= base) {                 /* one began in the block before */
        size_t past = c->short_form - base;
        starts = (starts & ~low_bits(past)) | (uint64_t)1 << past;
    }
    for (; at; at &= at - 1) {
        size_t i = (size_t)__builtin_ctzll(at);
        if (!keep && base + i == c->short_form) continue; /* a word has one */
        size_t length = nt_scan_short_form(text + base + i, n - base - i, !gpt2);
        if (!length) continue;
        c->short_form = base + i + length;
        starts &= ~(low_bits(length - keep) << i << keep);
        if (i + length < 64) starts |= (uint64_t)1 << (i + length);
    }
    return starts;
}

ALWAYS uint64_t gpt2_starts(const masks *b, nt_scan_carry *c, const char *text, size_t n,
                            size_t base, nt_scan_kind kind) {
    bool digits = kind == NT_SCAN_GPT2_DIGITS;
    uint64_t other = b->valid & ~(b->letter | b->number | b->space);
    uint64_t glued = after(b->blank, c->blank);
    uint64_t others = other & ~after(other, c->other) & ~glued;
    uint64_t starts = others | (b->letter & ~after(b->letter, c->letter) & ~glued) |
                      (b->space & ~after(b->space, c->space));
    starts |= digits ? b->number & ~b->inner : b->number & ~after(b->number, c->number) & ~glued;
    uint64_t seen = b->valid & ~b->space & ~(digits ? b->number : 0);
    starts |= spaces_before(b, b->space_one, seen);
    uint64_t apostrophes = others & b->apostrophe;
    if (apostrophes | (c->short_form >= base))
        starts = short_forms(starts, apostrophes, c, text, n, base, kind);
    c->other = other >> (b->n - 1) & 1;
    return starts & b->valid;
}

/* The bits of `region` from those of `from` on, up to the region's next gap. */
ALWAYS uint64_t flood(uint64_t from, uint64_t region) {
    for (int step = 1; step < 64; step *= 2) {
        from |= region & from << step;
        region &= region << step;
    }
    return from;
}

/* \s*[\r\n]+ takes a run of spaces up to its last newline: the starts after the last newlines. One
 * in an earlier block that turns out to be the last goes to *earlier; what this block does not show
 * yet is kept in c->newline_end. `known` are starts anyway. */
ALWAYS uint64_t newline_ends(size_t *earlier, const masks *b, nt_scan_carry *c, size_t base,
                             uint64_t known) {
    uint64_t thin = b->space & ~b->newline; /* spaces that are no newlines */
    uint64_t from = thin & after(b->newline, c->newline) & ~known;
    uint64_t carried = c->newline_end != 0;
    if (!(from | carried)) return 0;
    uint64_t first = carried & thin; /* the run goes on in this block */
    uint64_t stops = ((thin + (from | first)) & ~thin) | (carried & ~thin), starts = 0;
    stops &= b->valid; /* one for each run, in order */
    if (carried) {
        if (!stops) return 0;
        if (!(stops & -stops & b->newline)) *earlier = c->newline_end;
        c->newline_end = 0;
        stops &= stops - 1;
    }
    for (; from; from &= from - 1) {
        if (!stops) {
            c->newline_end = base + (size_t)__builtin_ctzll(from);
            break;
        }
        if (!(stops & -stops & b->newline)) starts |= from & -from;
        stops &= stops - 1;
    }
    return starts;
}

/* \p{N}{1,3}: every third number from the run's first begins a word. */
ALWAYS uint64_t groups_of_three(const masks *b, nt_scan_carry *c) {
    uint64_t leads = b->number & ~b->inner, starts = 0;
    uint64_t runs = b->number & ~after(b->number, c->number);
    for (; leads; leads &= leads - 1) {
        uint64_t lead = leads & -leads;
        if (lead & runs) c->digits = 0;
        if (c->digits == 0) starts |= lead;
        c->digits = c->digits == 2 ? 0 : c->digits + 1;
    }
    return starts;
}

ALWAYS uint64_t cl100k_starts(size_t *earlier, const masks *b, nt_scan_carry *c, const char *text,
                              size_t n, size_t base, nt_scan_kind kind) {
    bool cases = kind == NT_SCAN_O200K;
    size_t top = b->n - 1;
    uint64_t other = b->valid & ~(b->letter | b->number | b->space);
    /* [\r\n]* after other: what follows what it takes begins a word. */
    uint64_t taken =
        (b->newline & after(other, c->other)) | ((b->newline | b->slash) & c->absorbing);
    uint64_t starts = c->absorbing & ~taken;
    c->absorbing = 0;
    if (taken) {
        taken = flood(taken, b->newline | b->slash);
        starts |= after(taken, 0) & ~taken;
        other &= ~taken;
        c->absorbing = taken >> top & 1;
    }
    uint64_t others = other & ~after(other, c->other) & ~after(b->blank, c->blank);
    uint64_t thin = b->space & ~b->newline;
    /* A letter joins the white space or the single other before it. */
    uint64_t joined =
        after(thin, c->space & ~c->newline) | c->fresh | ((b->inner + (others << 1)) & ~b->inner);
    starts |= others | (b->letter & ~after(b->letter, c->letter) & ~joined);
    starts |= b->space & ~after(b->space, c->space) & ~taken;
    starts |= spaces_before(b, b->space_one & thin, b->valid & ~b->space);
    starts |= newline_ends(earlier, b, c, base, starts);
    if (b->number) starts |= kind == NT_SCAN_QWEN2 ? b->number & ~b->inner : groups_of_three(b, c);
    uint64_t apostrophes = others & b->apostrophe, lower = b->letter & ~b->upper;
    if (cases) {
        starts |= b->upper & after(lower, c->lower);
        apostrophes = b->apostrophe & after(b->letter, c->letter);
    }
    if (apostrophes | (c->short_form >= base))
        starts = short_forms(starts, apostrophes, c, text, n, base, kind);
    uint64_t last = b->valid & ~b->inner;
    c->fresh = others >> (63 - __builtin_clzll(last)) & 1;
    c->other = other >> top & 1;
    c->lower = lower >> top & 1;
    c->newline = b->newline >> top & 1;
    return starts & b->valid;
}

/* The white space before the block begins a word if this block begins with something visible. */
ALWAYS bool space_was_last(const masks *b, const nt_scan_carry *c, nt_scan_kind kind) {
    uint64_t more = b->space | (kind == NT_SCAN_GPT2_DIGITS ? b->number : 0);
    return c->last_space && !(more & 1);
}

/* Writes base + the place of each bit; slots up to 8 past the last may be written. */
ALWAYS size_t put_ends(uint32_t *ends, uint64_t starts, size_t base) {
    const uint64_t guard = (uint64_t)1 << 63;
    uint64_t pairs = starts - (starts >> 1 & 0x5555555555555555);
    pairs = (pairs & 0x3333333333333333) + (pairs >> 2 & 0x3333333333333333);
    size_t n = (((pairs + (pairs >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101) >> 56;
    for (size_t i = 0; i < n; i += 8) {
#pragma GCC unroll 8
        for (size_t j = 0; j < 8; j++) {
            ends[i + j] = (uint32_t)(base + (size_t)__builtin_ctzll(starts | guard));
            starts &= starts - 1;
        }
    }
    return n;
}

/* The next block's ends; *slow is set instead when the block is not for this way. */
ALWAYS size_t block_ends(uint32_t *ends, bool *slow, nt_scan *scan, nt_scan_carry *c,
                         nt_scan_kind kind) {
    size_t base = scan->block, left = scan->n - base, out = 0, earlier = 0;
    masks b;
    if (left >= 64) {
        b = classify(scan->text + base, 64, kind, false);
    } else {
        char padded[64] = {0};
        memcpy(padded, scan->text + base, left);
        b = classify(padded, left, kind, true);
    }
    if (kind == NT_SCAN_O200K && b.foreign) {
        *slow = true;
        return 0;
    }
    bool gpt2 = kind == NT_SCAN_GPT2 || kind == NT_SCAN_GPT2_DIGITS;
    size_t last_space = space_was_last(&b, c, kind) ? c->last_space : 0;
    uint64_t starts = gpt2 ? gpt2_starts(&b, c, scan->text, scan->n, base, kind)
                           : cl100k_starts(&earlier, &b, c, scan->text, scan->n, base, kind);
    size_t top = b.n - 1, last = 63 - (size_t)__builtin_clzll(b.valid & ~b.inner);
    c->letter = b.letter >> top & 1;
    c->number = b.number >> top & 1;
    c->space = b.space >> top & 1;
    c->blank = b.blank >> top & 1;
    bool thin = c->space && !(b.newline >> top & 1);
    bool known = starts >> last & 1 || c->newline_end == base + last;
    c->last_space = thin && !known ? base + last : 0;
    starts &= ~c->first;
    c->first = 0;
    if (earlier) ends[out++] = (uint32_t)earlier;
    if (last_space) ends[out++] = (uint32_t)last_space;
    out += put_ends(ends + out, starts, base);
    scan->block = base + b.n;
    if (scan->block == scan->n) {
        if (c->newline_end) ends[out++] = (uint32_t)c->newline_end;
        ends[out++] = (uint32_t)scan->n;
    }
    return out;
}

ALWAYS size_t blocks(uint32_t *ends, size_t room, bool *slow, nt_scan *scan, nt_scan_kind kind) {
    nt_scan_carry carry = scan->carry;
    size_t out = 0;
    while (room - out >= NT_SCAN_SLOTS && scan->block < scan->n && !*slow)
        out += block_ends(ends + out, slow, scan, &carry, kind);
    scan->carry = carry;
    return out;
}

size_t NT_SCAN_BLOCKS(uint32_t *ends, size_t room, bool *slow, nt_scan *scan) {
    switch (scan->kind) {
    case NT_SCAN_GPT2: return blocks(ends, room, slow, scan, NT_SCAN_GPT2);
    case NT_SCAN_GPT2_DIGITS: return blocks(ends, room, slow, scan, NT_SCAN_GPT2_DIGITS);
    case NT_SCAN_CL100K: return blocks(ends, room, slow, scan, NT_SCAN_CL100K);
    case NT_SCAN_QWEN2: return blocks(ends, room, slow, scan, NT_SCAN_QWEN2);
    case NT_SCAN_O200K: return blocks(ends, room, slow, scan, NT_SCAN_O200K);
    case NT_SCAN_NONE:
    case NT_SCAN_WHOLE: break;
    }
    return 0;
}
