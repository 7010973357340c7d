// A board behind a pseudo-terminal: bytes of the terminal become bits of its serial line and back (BYTES: go past the line); the board's clock runs as fast as
// it can.
// Arguments: path of the symbolic link to the terminal, cycles of the board's clock a bit, level of the button while it is not pressed.
// Says "READY" when the terminal can be opened; ends at SIGINT, SIGTERM or when its standard input does (so with its parent), and takes the link away;
// says "RAN", its cycles, and the microseconds of the processor's time that they took.
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "Vmodel.h"
#include "layout.h"
#include "verilated.h"

static volatile std::sig_atomic_t stopped = 0;

static void stop(int) { stopped = 1; }

static int fail(const char* what) {
    std::perror(what);
    return 1;
}

#ifdef BYTES
// The link takes a byte every 16 cycles.
struct Line {
    uint64_t next = 256;
    bool idle(uint64_t now) const { return now >= next; }
    void start(Vmodel& m, unsigned char b, uint64_t now) { m.rx_valid = 1, m.rx_data = b, next = now + 16; }
    void drive(Vmodel& m, uint64_t now) {
        m.reset = now < 64;
        m.rx_error = 0;
        m.tx_ready = 1;
    }
    // A byte from the board, or -1; what stands at the ports now is taken by the edge to come.
    int see(Vmodel& m, uint64_t) { return m.tx_valid ? int(m.tx_data) : -1; }
    void taken(Vmodel& m) { m.rx_valid = 0; }
};
#else
// Bits of a byte on the line: start, eight data bits, stop.
struct Transmitter {
    double next = 0;
    int bit = 10;
    unsigned char byte = 0;
    bool idle(double now) const { return bit == 10 && now >= next; }
    void start(unsigned char b, double now) { byte = b, bit = 0, next = now; }
    // The line's level in this cycle.
    bool level(double now, double length) {
        while (bit < 10 && now >= next) ++bit, next += length;
        if (bit == 0 || bit > 9) return true;
        return bit == 1 ? false : byte >> (bit - 2) & 1;
    }
};

// Samples in the middle of each bit.
struct Receiver {
    double next = 0;
    int bit = -1;
    unsigned byte = 0;
    // A byte, or -1.
    int see(bool line, double now, double length) {
        if (bit < 0) {
            if (!line) bit = 0, byte = 0, next = now + 1.5 * length;
            return -1;
        }
        if (now < next) return -1;
        next += length;
        if (bit < 8) {
            byte |= unsigned(line) << bit++;
            return -1;
        }
        bit = -1;
        // Without a stop bit it was none.
        return line ? int(byte) : -1;
    }
};

struct Line {
    Transmitter host;
    Receiver board;
    double length;
    bool released;
    bool idle(uint64_t now) const { return now >= 256 && host.idle(double(now)); }
    void start(Vmodel&, unsigned char b, uint64_t now) { host.start(b, double(now)); }
    void drive(Vmodel& m, uint64_t now) {
        m.button = now < 64 ? !released : released;
        m.uart_rx = host.level(double(now), length);
    }
    int see(Vmodel& m, uint64_t now) { return board.see(m.uart_tx, double(now), length); }
    void taken(Vmodel&) {}
};
#endif

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const char* path = argv[1];
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::signal(SIGHUP, stop);

    const int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) || unlockpt(master)) return fail("pseudo-terminal");
    const char* name = ptsname(master);
    // Held open, so that a host may come and go.
    const int slave = open(name, O_RDWR | O_NOCTTY);
    termios raw;
    if (slave < 0 || tcgetattr(slave, &raw)) return fail("pseudo-terminal");
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    if (symlink(name, path)) return fail(path);

    VerilatedContext context;
    context.randReset(2);
    context.randSeed(int(std::time(nullptr)) & 0x7fffffff);
    Vmodel m{&context};
    Line line;
#ifndef BYTES
    // (A sampling edge stays exact for centuries: a double has 53 bits.)
    line.length = std::atof(argv[2]);
    line.released = std::atoi(argv[3]);
#endif
    unsigned char in[4096], out[256];
    size_t have = 0, taken = 0, ready = 0;
    uint64_t quiet = 0, now = 0, watched = 0;
    bool announced = false;
    m.clock = 0;
    while (!stopped) {
        if (line.idle(now)) {
            if (taken == have && (now & 63) == 0) {
                // The parent's end of the pipe is closed: nobody is left to end us.
                pollfd parent{0, POLLIN, 0};
                if ((now >= watched) && (watched = now + (1 << 18), true) && poll(&parent, 1, 0) > 0 && read(0, in, 1) == 0) break;
                // A board that nobody has spoken to for long waits without burning a processor.
                if (quiet > 1u << 25) {
                    pollfd wait{master, POLLIN, 0};
                    poll(&wait, 1, 20);
                }
                const ssize_t n = read(master, in, sizeof in);
                have = n > 0 ? size_t(n) : 0;
                taken = 0;
            }
            if (taken < have) line.start(m, in[taken++], now), quiet = 0;
        }
        line.drive(m, now);
        m.eval();
        const int byte = line.see(m, now);
        m.clock = 1;
        m.eval();
        // (Seen by the next cycle's first evaluation.)
        m.clock = 0;
        line.taken(m);
        if (byte >= 0 && now >= 256) out[ready++] = (unsigned char)byte, quiet = 0;
        // A frame ends with a zero.
        if (ready && (byte == 0 || ready == sizeof out)) {
            for (size_t at = 0; at < ready && !stopped;) {
                const ssize_t n = write(master, out + at, ready - at);
                if (n > 0) at += size_t(n);
                else usleep(200);
            }
            ready = 0;
        }
        ++quiet;
        now += 1;
        if (!announced && now > 256) {
            announced = true;
            std::printf("READY %s\n", name);
            std::fflush(stdout);
        }
    }
    unlink(path);
    std::printf("RAN %llu %llu\n", (unsigned long long)now, (unsigned long long)(std::clock() * 1e6 / CLOCKS_PER_SEC));
    return 0;
}
