"""JupyterLab's front end, served from its installed files.

Everything here reads the installation: the application bundle, settings
schemas, themes, prebuilt extensions, language packs. The user's own settings
and workspaces are kept elsewhere.

`jupyterlab` and `jupyterlab_server` are not imported: they bring a second web
server with them, which costs more memory than this whole process.
"""
