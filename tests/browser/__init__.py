"""The dashboard as a reader sees it: in a real browser, before a scripted and before a real telemetry process."""
