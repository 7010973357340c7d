// Toggles of every net of the design, written as SAIF when the run ends; without ACTIVITY nothing is counted.
#pragma once
#include <cstdint>
#include <string>

#ifdef ACTIVITY
#include "verilated_saif_c.h"

class Activity {
    VerilatedSaifC file;
    uint64_t cycle = 0;

public:
    Activity(VerilatedContext& context, Vmodel& model) {
        context.traceEverOn(true);
        model.trace(&file, 2);
    }
    // From here on, sample() counts.
    void open(const std::string& path) { file.open(path.c_str()); }
    // Settled values, once a cycle.
    void sample() { file.dump(cycle++); }
    // One more step of time, so that the last cycle has a length too.
    void close() {
        file.dump(cycle);
        file.close();
    }
};
#else
struct Activity {
    Activity(VerilatedContext&, Vmodel&) {}
    void open(const std::string&) {}
    void sample() {}
    void close() {}
};
#endif
