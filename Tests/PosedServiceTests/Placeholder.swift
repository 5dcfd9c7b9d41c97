// Tests of PosedService.
