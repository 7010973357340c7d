// Replays recorded vectors against a Verilated design and compares every output port in every cycle.
// Arguments: file of vectors, first cycle to compare; activity is counted from there on, into that file's name with .saif behind it. The sizes come from the generated layout.h.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "Vmodel.h"
#include "verilated.h"

#include "activity.h"

struct Slice {
    int low, bits;
};
#include "layout.h"

template <class Words>
static bool bit(const Words& words, int n) {
    return words[n / 32] >> (n % 32) & 1;
}

template <class Words>
static void print_hex(const Words& words, const Slice& s) {
    for (int digit = (s.bits + 3) / 4 - 1; digit >= 0; --digit) {
        int value = 0;
        for (int k = 3; k >= 0; --k) {
            const int n = digit * 4 + k;
            value = value << 1 | (n < s.bits && bit(words, s.low + n));
        }
        std::printf("%x", value);
    }
}

int main(int argc, char** argv) {
    std::FILE* file = argc == 3 ? std::fopen(argv[1], "rb") : nullptr;
    if (!file) return 2;
    const uint64_t from = std::strtoull(argv[2], nullptr, 10);
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(1);
    Vmodel model{&context};
    Activity activity{context, model};
    constexpr int ports = sizeof outputs / sizeof outputs[0];
    uint32_t row[input_words + output_words];
    const uint32_t* expected = row + input_words;
    uint64_t cycles = 0, words = 0, mismatches = 0;
    model.clock = 0;
    while (std::fread(row, sizeof row, 1, file) == 1) {
        for (int n = 0; n < input_words; ++n) model.i[n] = row[n];
        model.eval();
        if (cycles == from) activity.open(std::string(argv[1]) + ".saif");
        if (cycles >= from) {
            activity.sample();
            words += ports;
            bool differ = false;
            for (int n = 0; n < output_words; ++n) differ |= model.o[n] != expected[n];
            for (int p = 0; differ && p < ports; ++p) {
                const Slice& s = outputs[p];
                bool same = true;
                for (int n = s.low; n < s.low + s.bits; ++n) {
                    same &= bit(model.o, n) == bit(expected, n);
                }
                if (same) continue;
                if (mismatches++ == 0) {
                    std::printf("FIRST %llu %d ", (unsigned long long)cycles, p);
                    print_hex(expected, s);
                    std::printf(" ");
                    print_hex(model.o, s);
                    std::printf("\n");
                }
            }
        }
        model.clock = 1;
        model.eval();
        model.clock = 0;
        ++cycles;
    }
    activity.close();
    std::fclose(file);
    std::printf("RESULT cycles=%llu words=%llu mismatches=%llu\n", (unsigned long long)cycles,
                (unsigned long long)words, (unsigned long long)mismatches);
    return 0;
}
