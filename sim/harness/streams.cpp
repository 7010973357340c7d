// Runs a core with one stream in and one stream out.
// Arguments: input file, output file, expected beats, seed, stall probability, patience.
// Input: a beat is input_fields words and a last word; output: a data word and a last word; all 32 bits.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vmodel.h"
#include "verilated.h"
#include "layout.h"

// SplitMix64: small, seeded, the same everywhere.
struct Random {
    uint64_t state;
    uint32_t next() {
        uint64_t z = state += 0x9e3779b97f4a7c15ull;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ z >> 27) * 0x94d049bb133111ebull;
        return (z ^ z >> 31) >> 32;
    }
};

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    std::FILE* in = std::fopen(argv[1], "rb");
    std::FILE* out = std::fopen(argv[2], "wb");
    if (!in || !out) return 2;
    const uint64_t expected = std::strtoull(argv[3], nullptr, 10);
    Random random{std::strtoull(argv[4], nullptr, 10)};
    const uint64_t threshold = uint64_t(std::strtod(argv[5], nullptr) * 4294967296.0);
    const uint64_t patience = std::strtoull(argv[6], nullptr, 10);
    constexpr uint64_t tail = 256;

    VerilatedContext context;
    context.randReset(2);
    context.randSeed(int(random.next() >> 1));
    Vmodel m{&context};
    for (int n = 0; n < 3; ++n) m.in_data[n] = 0;
    m.in_valid = m.in_last = m.out_ready = 0;
    m.reset = 1;
    m.clock = 0;
    for (int n = 0; n < 8; ++n) {
        m.eval();
        m.clock = 1;
        m.eval();
        m.clock = 0;
    }
    m.reset = 0;

    uint32_t next[input_fields + 1];
    bool more = std::fread(next, sizeof next, 1, in) == 1;
    bool valid = false;
    bool held = false;
    uint32_t held_data = 0, held_last = 0;
    uint64_t cycles = 0, idle = 0, beats_in = 0, beats_out = 0, violations = 0, first_violation = 0;
    uint64_t phase_cycles[16] = {}, phase_lanes[16] = {};
    bool stuck = false;
    while (true) {
        // A beat once offered stays; only a new one may be held back.
        if (!valid && more && (!threshold || random.next() >= threshold)) {
            valid = true;
            for (int n = 0; n < input_fields; ++n) m.in_data[n] = next[n];
            m.in_last = next[input_fields] & 1;
        }
        m.in_valid = valid;
        m.out_ready = !threshold || random.next() >= threshold;
        m.eval();
        const bool taken = valid && m.in_ready;
        const bool given = m.out_valid && m.out_ready;
        if (held && (!m.out_valid || m.out_data != held_data || m.out_last != held_last)) {
            if (violations++ == 0) first_violation = cycles;
        }
        held = m.out_valid && !m.out_ready;
        held_data = m.out_data;
        held_last = m.out_last;
        if (given) {
            const uint32_t beat[2] = {uint32_t(m.out_data), uint32_t(m.out_last)};
            if (std::fwrite(beat, sizeof beat, 1, out) != 1) return 3;
            ++beats_out;
        }
        phase_cycles[m.phase & 15] += 1;
        phase_lanes[m.phase & 15] += m.mac_lanes;
        m.clock = 1;
        m.eval();
        m.clock = 0;
        ++cycles;
        if (taken) {
            ++beats_in;
            valid = false;
            more = std::fread(next, sizeof next, 1, in) == 1;
        }
        idle = taken || given ? 0 : idle + 1;
        const bool complete = !more && !valid && beats_out >= expected;
        if (complete && idle >= tail) break;
        if (idle >= patience || beats_out > 2 * expected + 1024) {
            stuck = !complete;
            break;
        }
    }
    std::fclose(in);
    if (std::fclose(out) != 0) return 3;
    for (int n = 0; n < 16; ++n) {
        if (phase_cycles[n]) {
            std::printf("PHASE %d %llu %llu\n", n, (unsigned long long)phase_cycles[n],
                        (unsigned long long)phase_lanes[n]);
        }
    }
    std::printf(
        "RESULT cycles=%llu beats_in=%llu beats_out=%llu violations=%llu first_violation=%llu "
        "stuck=%d error=%llu\n",
        (unsigned long long)cycles, (unsigned long long)beats_in, (unsigned long long)beats_out,
        (unsigned long long)violations, (unsigned long long)first_violation, int(stuck),
        (unsigned long long)m.error_flags);
    return 0;
}
