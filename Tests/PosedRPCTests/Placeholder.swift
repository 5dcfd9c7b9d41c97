// Tests of PosedRPC.
