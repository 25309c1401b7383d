"""The page that submits workflow files, ``/automation-dashboard/``."""
