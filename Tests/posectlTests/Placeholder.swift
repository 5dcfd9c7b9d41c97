// Tests of posectl.
