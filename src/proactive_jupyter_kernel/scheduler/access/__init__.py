"""How clients, browsers and tasks are let in, and the secrets that they keep here.

Lasting logins, sessions of the portals, keys of tasks, third-party credentials and hidden values of variables.
"""
