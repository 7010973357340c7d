//! Small blocks whose Rust model and Verilog are written side by side.

use rust_hdl::prelude::*;

/// Run-time sizes of [`Mac`].
#[derive(Clone, Copy, Debug)]
pub struct MacSizes {
    /// Operand width, up to 18.
    pub width: u32,
    /// Accumulator width, up to 48.
    pub acc: u32,
    /// Bits dropped at the output, with rounding; at least 1.
    pub shift: u32,
}

/// Multiply-accumulate, then add half, shift, saturate.
#[derive(LogicBlock)]
pub struct Mac {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub valid: Signal<In, Bit>,
    pub a: Signal<In, Bits<18>>,
    pub b: Signal<In, Bits<18>>,
    pub y: Signal<Out, Bits<18>>,
    pub full: Signal<Out, Bit>,
    _sizes: MacSizes,
    _product: i64,
    _seen: bool,
    _acc: i64,
}

pub fn sign(value: i64, bits: u32) -> i64 {
    (value << (64 - bits)) >> (64 - bits)
}

impl Mac {
    pub fn new(sizes: MacSizes) -> Self {
        Mac {
            clock: Default::default(),
            reset: Default::default(),
            valid: Default::default(),
            a: Default::default(),
            b: Default::default(),
            y: Default::default(),
            full: Default::default(),
            _sizes: sizes,
            _product: 0,
            _seen: false,
            _acc: 0,
        }
    }

    fn operand(&self, bits: Bits<18>) -> i64 {
        sign(bits.index() as i64, self._sizes.width)
    }
}

impl Logic for Mac {
    fn update(&mut self) {
        let MacSizes { width, acc, shift } = self._sizes;
        if self.clock.pos_edge() {
            if self.reset.val() {
                (self._acc, self._seen) = (0, false);
            } else {
                if self._seen {
                    self._acc = sign(self._acc + self._product, acc);
                }
                self._seen = self.valid.val();
            }
            self._product = self.operand(self.a.val()) * self.operand(self.b.val());
        }
        let shifted = sign(self._acc + (1 << (shift - 1)), acc) >> shift;
        let max = (1i64 << (width - 1)) - 1;
        let y = shifted.clamp(-max - 1, max);
        self.y.next = (y as u64 & ((1 << width) - 1)).into();
        self.full.next = y != shifted;
    }
    fn connect(&mut self) {
        self.y.connect();
        self.full.connect();
    }
    fn hdl(&self) -> Verilog {
        let MacSizes { width, acc, shift } = self._sizes;
        Verilog::Custom(format!(
            "reg signed [{p}:0] product = 0;
reg seen = 0;
reg signed [{s}:0] sum = 0;
wire signed [{o}:0] x = a[{o}:0];
wire signed [{o}:0] z = b[{o}:0];
wire signed [{s}:0] rounded = sum + {half};
wire signed [{s}:0] shifted = rounded >>> {shift};
wire high = shifted > {max};
wire low = shifted < -{max} - 1;
always @(*) begin
  y = 0;
  y[{o}:0] = high ? {max} : low ? -{max} - 1 : shifted[{o}:0];
  full = high | low;
end
always @(posedge clock) begin
  product <= x * z;
  seen <= valid & ~reset;
  if (reset) sum <= 0; else if (seen) sum <= sum + product;
end
",
            p = 2 * width - 1,
            s = acc - 1,
            o = width - 1,
            half = 1u64 << (shift - 1),
            max = (1u64 << (width - 1)) - 1,
        ))
    }
}

/// One write port, one read port, synchronous; run-time width (up to 32) and depth; starts from contents.
#[derive(LogicBlock)]
pub struct Scratch {
    pub clock: Signal<In, Clock>,
    pub write: Signal<In, Bit>,
    pub write_address: Signal<In, Bits<10>>,
    pub write_data: Signal<In, Bits<32>>,
    pub read_address: Signal<In, Bits<10>>,
    pub read_data: Signal<Out, Bits<32>>,
    _width: u32,
    _words: Vec<u64>,
}

impl Scratch {
    pub fn new(width: u32, words: Vec<u64>) -> Self {
        Scratch {
            clock: Default::default(),
            write: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            read_address: Default::default(),
            read_data: Default::default(),
            _width: width,
            _words: words,
        }
    }
}

impl Logic for Scratch {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let n = self._words.len();
            self.read_data.next = self._words[self.read_address.val().index() % n].into();
            if self.write.val() {
                let mask = (1u64 << self._width) - 1;
                let data = self.write_data.val().index() as u64 & mask;
                self._words[self.write_address.val().index() % n] = data;
            }
        }
    }
    fn connect(&mut self) {
        self.read_data.connect();
    }
    fn hdl(&self) -> Verilog {
        let n = self._words.len();
        let address = n.trailing_zeros() - 1;
        let contents: String = (0..n)
            .map(|i| format!("  memory[{i}] = {};\n", self._words[i]))
            .collect();
        Verilog::Custom(format!(
            "(* ram_style = \"block\" *) reg [{w}:0] memory [0:{last}];
initial begin
  read_data = 0;
{contents}end
always @(posedge clock) begin
  read_data <= memory[read_address[{address}:0]];
  if (write) memory[write_address[{address}:0]] <= write_data[{w}:0];
end
",
            w = self._width - 1,
            last = n - 1,
        ))
    }
}

/// The ports of the attention core around a one-place pipeline: y = (q·k + v) mod 2^16.
#[derive(LogicBlock, Default)]
pub struct StreamMac {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub s_axis_tvalid: Signal<In, Bit>,
    pub s_axis_tready: Signal<Out, Bit>,
    pub s_axis_tdata_q: Signal<In, Bits<16>>,
    pub s_axis_tdata_k: Signal<In, Bits<16>>,
    pub s_axis_tdata_v: Signal<In, Bits<16>>,
    pub s_axis_tlast: Signal<In, Bit>,
    pub m_axis_tvalid: Signal<Out, Bit>,
    pub m_axis_tready: Signal<In, Bit>,
    pub m_axis_tdata: Signal<Out, Bits<16>>,
    pub m_axis_tlast: Signal<Out, Bit>,
    pub phase: Signal<Out, Bits<2>>,
    pub mac_lanes: Signal<Out, Bits<1>>,
    pub error: Signal<Out, Bits<2>>,
}

impl StreamMac {
    pub fn law(q: i32, k: i32, v: i32) -> i32 {
        (q * k + v) as i16 as i32
    }
}

impl Logic for StreamMac {
    fn update(&mut self) {
        let full = self.m_axis_tvalid.val();
        let ready = !full || self.m_axis_tready.val();
        if self.clock.pos_edge() {
            if self.reset.val() {
                self.m_axis_tvalid.next = false;
            } else if ready {
                self.m_axis_tvalid.next = self.s_axis_tvalid.val();
                let at = |b: Bits<16>| b.index() as u16 as i16 as i32;
                let y = StreamMac::law(
                    at(self.s_axis_tdata_q.val()),
                    at(self.s_axis_tdata_k.val()),
                    at(self.s_axis_tdata_v.val()),
                );
                self.m_axis_tdata.next = (y as u16 as u64).into();
                self.m_axis_tlast.next = self.s_axis_tlast.val();
            }
        }
        let ready = !self.m_axis_tvalid.val() || self.m_axis_tready.val();
        self.s_axis_tready.next = ready;
        self.phase.next = if self.m_axis_tvalid.val() { 3u64 } else { 0u64 }.into();
        self.mac_lanes.next = ((ready && self.s_axis_tvalid.val()) as u64).into();
    }
    fn connect(&mut self) {
        self.s_axis_tready.connect();
        self.m_axis_tvalid.connect();
        self.m_axis_tdata.connect();
        self.m_axis_tlast.connect();
        self.phase.connect();
        self.mac_lanes.connect();
        self.error.connect();
    }
    fn hdl(&self) -> Verilog {
        Verilog::Custom(
            "wire signed [15:0] q = s_axis_tdata_q;
wire signed [15:0] k = s_axis_tdata_k;
initial begin
  m_axis_tvalid = 0;
  m_axis_tdata = 0;
  m_axis_tlast = 0;
end
always @(*) begin
  s_axis_tready = ~m_axis_tvalid | m_axis_tready;
  phase = {2{m_axis_tvalid}};
  mac_lanes = s_axis_tready & s_axis_tvalid;
  error = 0;
end
always @(posedge clock) begin
  if (reset) m_axis_tvalid <= 0;
  else if (s_axis_tready) begin
    m_axis_tvalid <= s_axis_tvalid;
    m_axis_tdata <= q * k + s_axis_tdata_v;
    m_axis_tlast <= s_axis_tlast;
  end
end
"
            .into(),
        )
    }
}

/// A register with combinational logic around it.
#[derive(LogicBlock, Default)]
pub struct Leaf {
    pub clock: Signal<In, Clock>,
    pub x: Signal<In, Bits<16>>,
    pub y: Signal<Out, Bits<16>>,
    state: DFF<Bits<16>>,
}

impl Logic for Leaf {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state);
        self.state.d.next = self.state.q.val() ^ self.x.val();
        self.y.next = self.state.q.val() + self.x.val();
    }
}

/// Two leaves and a register, each feeding another.
#[derive(LogicBlock, Default)]
pub struct Branch {
    pub clock: Signal<In, Clock>,
    pub x: Signal<In, Bits<16>>,
    pub y: Signal<Out, Bits<16>>,
    first: Leaf,
    second: Leaf,
    held: DFF<Bits<16>>,
}

impl Logic for Branch {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held);
        clock!(self, clock, first, second);
        self.first.x.next = self.held.q.val();
        self.second.x.next = self.x.val() ^ self.first.y.val();
        self.held.d.next = self.second.y.val();
        self.y.next = self.second.y.val();
    }
}

/// Four levels; registers at every level feed registers at every other, in both directions.
#[derive(LogicBlock, Default)]
pub struct Tree {
    pub clock: Signal<In, Clock>,
    pub x: Signal<In, Bits<16>>,
    pub y: Signal<Out, Bits<16>>,
    deep: Branch,
    shallow: Leaf,
    state: DFF<Bits<16>>,
}

impl Logic for Tree {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state);
        clock!(self, clock, deep, shallow);
        self.deep.x.next = self.state.q.val() ^ self.x.val();
        self.shallow.x.next = self.deep.y.val();
        self.state.d.next = self.shallow.y.val() ^ self.deep.y.val();
        self.y.next = self.state.q.val() ^ self.shallow.y.val();
    }
}

/// An inverter around itself.
#[derive(LogicBlock, Default)]
pub struct Oscillator {
    pub clock: Signal<In, Clock>,
    pub enable: Signal<In, Bit>,
    pub y: Signal<Out, Bit>,
}

impl Logic for Oscillator {
    fn update(&mut self) {
        if self.enable.val() {
            self.y.next = !self.y.val();
        }
    }
    fn connect(&mut self) {
        self.y.connect();
    }
}
