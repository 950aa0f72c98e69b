from adapters.playground.teams.emulator import APP_ID, APP_PASSWORD, TeamsEmulator

__all__ = ["APP_ID", "APP_PASSWORD", "TeamsEmulator"]
