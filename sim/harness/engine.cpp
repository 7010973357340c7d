// Runs the engine: loads its memories, streams sequences with random stalls, and folds the words of every channel
// (taps and arg-max) sequence by sequence.
// Arguments: input file, output file, dump file, dumped sequence (-1: none), seed, stall probability, patience.
// Input, 64-bit words: writes, sequences, whether words are compared (else the run ends with all output words, or, if none are awaited, after `patience` quiet cycles); for each write memory, address, data; for each sequence its input words, whether the
// last bears tlast, its output words, and for each channel count and hash; then the input words of all sequences, 32 bits each.
// Activity is counted from the end of loading on, into the output file's name with .saif behind it.
// Output file: a data word and a last word for each output word, 32 bits. Dump file: channel and word, 64 bits.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <vector>

#include "Vmodel.h"
#include "verilated.h"

#include "activity.h"

constexpr int channels = 10;

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

struct Fold {
    uint64_t count = 0, hash = 0xcbf29ce484222325ull;
    void add(uint64_t word) {
        const uint64_t mixed = (hash ^ word) * 0x9e3779b97f4a7c15ull;
        hash = mixed ^ mixed >> 29;
        ++count;
    }
};

struct Sequence {
    uint64_t inputs, ends, outputs;
    Fold expected[channels];
};

// Where a channel stands: words beyond a sequence's count belong to the next.
struct Cursor {
    uint64_t sequence = 0;
    Fold fold;
};

struct Use {
    uint64_t cycles = 0, slots = 0;
};

static std::FILE* in;

static uint64_t word64() {
    uint64_t w = 0;
    if (std::fread(&w, sizeof w, 1, in) != 1) std::exit(4);
    return w;
}

static uint64_t channel_word(const Vmodel& m, int c) {
    switch (c) {
        case 0: return m.tap_sum;
        case 1: return m.tap_linear;
        case 2: return m.tap_function;
        case 3: return m.tap_other;
        case 4: return m.tap_sums;
        case 5: return m.tap_calcium;
        case 6: return m.tap_power;
        case 7: return m.tap_normalise;
        case 8: return m.tap_norm;
        default: return m.argmax;
    }
}

int main(int argc, char** argv) {
    if (argc != 8) return 2;
    in = std::fopen(argv[1], "rb");
    std::FILE* out = std::fopen(argv[2], "wb");
    std::FILE* dump = std::fopen(argv[3], "wb");
    if (!in || !out || !dump) return 2;
    const int64_t dumped = std::strtoll(argv[4], nullptr, 10);
    Random random{std::strtoull(argv[5], nullptr, 10)};
    const uint64_t threshold = uint64_t(std::strtod(argv[6], nullptr) * 4294967296.0);
    const uint64_t patience = std::strtoull(argv[7], nullptr, 10);
    constexpr uint64_t tail = 256;

    VerilatedContext context;
    context.randReset(2);
    context.randSeed(int(random.next() >> 1));
    Vmodel m{&context};
    Activity activity{context, m};
    auto edge = [&] {
        m.clock = 1;
        m.eval();
        m.clock = 0;
    };
    m.in_valid = m.in_last = m.out_ready = m.load_valid = 0;
    m.reset = 1;
    m.clock = 0;
    for (int n = 0; n < 8; ++n) {
        m.eval();
        edge();
    }
    m.reset = 0;

    const uint64_t writes = word64();
    const uint64_t count = word64();
    const bool compared = word64();
    uint64_t load_cycles = 0, refused = 0;
    for (uint64_t n = 0; n < writes; ++n) {
        m.load_valid = 1;
        m.load_memory = word64();
        m.load_address = word64();
        m.load_data = word64();
        for (uint64_t waited = 0;; ++waited) {
            m.eval();
            const bool taken = m.load_ready;
            edge();
            ++load_cycles;
            if (taken) break;
            if (waited >= patience) {
                refused = writes - n;
                n = writes;
                break;
            }
        }
    }
    m.load_valid = 0;
    std::vector<Sequence> sequences(count);
    uint64_t total_inputs = 0, total_outputs = 0;
    for (Sequence& s : sequences) {
        s.inputs = word64();
        s.ends = word64();
        s.outputs = word64();
        total_inputs += s.inputs;
        total_outputs += s.outputs;
        for (Fold& f : s.expected) {
            f.count = word64();
            f.hash = word64();
        }
    }

    // The sequence that input words are taken from, and how many of them are left.
    uint64_t source = 0, left = 0;
    auto next_input = [&] {
        while (left == 0) {
            if (source == count) return false;
            left = sequences[source++].inputs;
        }
        return true;
    };
    bool more = next_input();
    bool valid = false, held = false;
    uint32_t held_data = 0, held_last = 0;
    uint64_t cycles = 0, idle = 0, words_in = 0, words_out = 0, violations = 0, first_violation = 0, observed = 0;
    int64_t wrong = -1;
    bool stuck = false;
    Cursor cursors[channels];
    uint64_t complete_channels = 0;
    // Past the sequences in which a channel shows nothing more.
    auto advance = [&](int c) {
        Cursor& at = cursors[c];
        while (at.sequence < count && at.fold.count == sequences[at.sequence].expected[c].count) {
            if (at.fold.hash != sequences[at.sequence].expected[c].hash && (wrong < 0 || int64_t(at.sequence) < wrong)) {
                wrong = at.sequence;
            }
            at.fold = Fold{};
            if (++at.sequence == count) ++complete_channels;
        }
    };
    for (int c = 0; c < channels; ++c) advance(c);
    std::map<uint32_t, Use> steps;
    activity.open(std::string(argv[2]) + ".saif");
    while (refused == 0) {
        // A word once offered stays; only a new one may be held back.
        if (!valid && more && (!threshold || random.next() >= threshold)) {
            int32_t word = 0;
            if (std::fread(&word, sizeof word, 1, in) != 1) return 4;
            valid = true;
            m.in_data = word;
            m.in_last = left == 1 && sequences[source - 1].ends;
        }
        m.in_valid = valid;
        m.out_ready = !threshold || random.next() >= threshold;
        m.eval();
        activity.sample();
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
            ++words_out;
        }
        const uint32_t shown = m.taps_valid;
        for (int c = 0; shown >> c; ++c) {
            if (!(shown >> c & 1)) continue;
            const uint64_t word = channel_word(m, c);
            Cursor& at = cursors[c];
            ++observed;
            if (!compared) continue;
            if (int64_t(at.sequence) == dumped) {
                const uint64_t pair[2] = {uint64_t(c), word};
                if (std::fwrite(pair, sizeof pair, 1, dump) != 1) return 3;
            }
            if (at.sequence == count) {
                // Surplus: of the last sequence.
                if (wrong < 0) wrong = int64_t(count) - 1;
                continue;
            }
            at.fold.add(word);
            advance(c);
        }
        Use& use = steps[m.step];
        use.cycles += 1;
        use.slots += m.slots;
        const bool busy = m.busy;
        edge();
        ++cycles;
        if (taken) {
            ++words_in;
            valid = false;
            --left;
            more = next_input();
        }
        idle = taken || given || shown ? 0 : idle + 1;
        const bool awaited = compared ? complete_channels == channels : total_outputs > 0;
        const bool complete = awaited && !more && !valid && words_out >= total_outputs;
        if (complete && !busy && idle >= tail) break;
        if (wrong >= 0 && dumped < 0) break;
        if (dumped >= 0) {
            // The dump is complete when every channel has left the sequence.
            bool all = true;
            for (const Cursor& at : cursors) all = all && int64_t(at.sequence) > dumped;
            if (all) break;
        }
        if (idle >= patience || (compared && words_out > 2 * total_outputs + 1024)) {
            stuck = true;
            break;
        }
    }
    activity.close();
    if (compared && stuck && wrong < 0) {
        for (const Cursor& at : cursors) {
            if (at.sequence < count && (wrong < 0 || int64_t(at.sequence) < wrong)) wrong = at.sequence;
        }
    }
    if (std::fclose(out) != 0 || std::fclose(dump) != 0) return 3;
    for (const auto& [step, use] : steps) {
        std::printf("STEP %u %llu %llu\n", step, (unsigned long long)use.cycles, (unsigned long long)use.slots);
    }
    std::printf(
        "RESULT cycles=%llu load_cycles=%llu refused=%llu words_in=%llu words_out=%llu observed=%llu violations=%llu "
        "first_violation=%llu stuck=%d wrong=%lld error=%llu processor_us=%llu\n",
        (unsigned long long)cycles, (unsigned long long)load_cycles, (unsigned long long)refused,
        (unsigned long long)words_in, (unsigned long long)words_out, (unsigned long long)observed,
        (unsigned long long)violations, (unsigned long long)first_violation, int(stuck), (long long)wrong,
        (unsigned long long)m.error_flags, (unsigned long long)(std::clock() * 1e6 / CLOCKS_PER_SEC));
    return 0;
}
