"""The line and cell magics of IPython: a comment such as `#%timeit f(x)` is one of them, switched off.

In a module without imports, because the check whether a cell has anything for this package reads it.
"""

from __future__ import annotations

__all__ = ["MAGICS", "SHARED"]

#: Names of magics that pragmas have, too: `#%debug(T)` is the pragma, `#%debug` the magic, switched off.
SHARED = frozenset({"debug"})
#: Lower case.
MAGICS = frozenset(
    """
    alias alias_magic autoawait autocall autoindent automagic autoreload autosave bash bookmark capture cat cd clear
    code_wrap colors conda config connect_info cp cython debug dhist dirs doctest_mode ed edit env file gui hist history
    html javascript js killbgscripts latex ldir less lf lk ll load load_ext loadpy logoff logon logstart logstate
    logstop ls lsmagic lx macro magic mamba man markdown matplotlib micromamba mkdir more mprun memit mv notebook page
    pastebin pdb pdef pdoc perl pfile pinfo pinfo2 pip popd pprint precision prun psearch psource pushd pwd pycat
    pylab pypy python python2 python3 qtconsole quickref recall rehashx reload_ext rep rerun reset reset_selective rm
    rmdir ruby run save sc script set_env sh store subshell sql svg sx system tb time timeit todo unalias unload_ext
    user_expressions uv who who_ls whos writefile xdel xmode
    """.split()  # noqa: SIM905 (a list of a hundred quoted words is harder to read)
)
