//! Calls that broke other people's voice agents, by where they were reported. Each says what was seen and what must hold here.
//!
//! Place: beside the seeds, as calls with names; the runner judges them by the same invariants, and by what each says besides.
