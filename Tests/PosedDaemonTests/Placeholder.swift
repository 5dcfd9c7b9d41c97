// Tests of PosedDaemon.
