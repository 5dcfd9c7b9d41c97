// Tests of PosedSystemd.
