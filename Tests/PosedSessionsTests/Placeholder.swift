// Tests of PosedSessions.
