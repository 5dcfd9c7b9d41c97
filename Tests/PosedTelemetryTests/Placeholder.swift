// Tests of PosedTelemetry.
