// Tests of PosedServing.
