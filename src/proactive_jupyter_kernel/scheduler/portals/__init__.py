"""The portals: pages for people, served by the scheduler beside REST. Not part of a ProActive server's API.

How to add a page:

1. Write a handler, ``async def show(request: PageRequest) -> Response``, in a file of this room, and a row in its table
   ``PAGES = (Page("GET", "/scheduler/jobs/{job}", show, "One sentence."),)``; `pages` joins the tables. The session,
   the Host header and, for ``POST``, the Origin header were checked before.
2. Read the store with ``await request.read(lambda ask: ...)`` (`Questions`, in a thread, of one moment), act with the
   verbs of ``request.service``; machine and slots are for the loop's thread. Queries are bounded: jobs may have 10,000
   tasks.
3. Answer with ``request.render("job.html", job=..., ...)``; after an action with
   ``request.see("/scheduler/", "Killed job 7.")`` or ``request.back(...)`` (the next page shows the sentence); with
   ``request.ask(...)`` before what cannot be undone; or with any Starlette response. ``UnknownJob`` and its kin,
   ``ValueError`` and ``HttpError(404, "...")`` become pages of errors.
4. The template extends ``base.html`` (blocks ``title``, ``styles``, ``scripts``, ``live``, ``main``) and has
   ``url(path, **query)``, ``static(file)``, ``icon(mark)``, ``bar(segments)``, ``moment(ms, now)``, ``duration(ms)``,
   ``shell``, ``now``, ``here``, ``path`` and ``revision``. Every address is made by ``url`` or ``static``: a frame has
   its key in the path, a proxy its prefix. Markup has no ``style`` attribute, no ``on...`` attribute and no inline
   script, for the policy forbids them. `assets` serves every file of ``static/``. Imports and ``{% set %}`` stand
   inside the block that uses them.

Live parts: a block inside an element with ``data-part="NAME"``, the name of the block, is answered alone for
``?part=NAME`` (several: ``?part=a,b``). ``{% block live %}data-live="a,b"{% endblock %}`` (attributes of ``<main>``)
lets ``portal.js`` fetch these parts, and ``status``, whenever ``/portal/events`` says that something changed; with
``data-live-job="7"`` only when that job did. An element with ``data-every="2"`` on the page makes it do so every 2
seconds as well. New markup is merged into the old: elements are matched by ``id`` or ``data-key``; focus, scroll
position, what is typed, open ``<details>`` and everything in an element with ``data-keep`` stay.

Actions work without script: a ``<form method="post">``, or a link to a page with a question. With script, forms with
``data-action`` are sent in the background and the live parts fetched, and links with ``data-ask`` show the block
``ask`` of their page above this one. Give both ``back=here``, so that they lead back to this page and its query.

Keys: an element with ``data-shortcut="x"`` is clicked, or focused, by that key. ``j`` and ``k`` select an element
``data-row``, ``Enter`` follows its link ``data-open``, and an element ``data-row-shortcut="x"`` in the selected row is
clicked by that key. A module of your own may ``import { merge, refresh, say, send } from "./portal.js"``.
"""
