// Tests of PosedScheduling.
