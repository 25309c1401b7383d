"""What an unknown word may have meant: declared synonyms first, then the nearest spelling. Pure.

A proposal is copied without a second look. So a pragma that removes something is only proposed for a declared synonym
or for what is clearly its own name misspelt.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

__all__ = ["PARAMETER_SYNONYMS", "PRAGMA_SYNONYMS", "propose"]


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Lines ``target, next target: word word``: what each word may mean, the most likely first."""
    table: dict[str, tuple[str, ...]] = {}
    for line in text.strip().splitlines():
        targets, _, words = line.partition(":")
        for word in words.split():
            table[word] = (*table.get(word, ()), *(target.strip() for target in targets.split(",")))
    return table


#: What other tools and other notebooks call it -> the pragma.
PRAGMA_SYNONYMS: Mapping[str, tuple[str, ...]] = _table(
    """
    kill_job: kill stop cancel abort terminate stop_job cancel_job abort_job terminate_job end_job remove_job delete_job
    submit_job: run submit start_job run_job launch launch_job execute execute_job exec submit_workflow run_workflow
    job_status: status state job_state get_job_status get_status job_info show_job
    get_job_result: result results get_results job_result job_results get_job_results fetch_result
    get_task_result: task_result task_results get_task_results get_result_task
    print_job_output: output outputs log logs job_output job_log job_logs get_job_output print_output show_output
    print_task_output: task_output task_log task_logs get_task_output
    wait_job: wait wait_for wait_for_job join
    pause_job: pause suspend suspend_job
    resume_job: resume continue continue_job unpause
    list_submitted_jobs: jobs list_jobs my_jobs show_jobs ls_jobs get_jobs
    delete_task: remove_task del_task drop_task rm_task
    connect: login log_in signin server
    draw_job: draw plot graph show_workflow draw_workflow plot_job visualize
    export_xml: export save save_xml write_xml to_xml export_workflow
    import_xml: load load_xml read_xml from_xml import_workflow
    export_json: save_json write_json to_json
    import_json: load_json read_json from_json
    write_dot: export_dot save_dot to_dot
    import_dot: load_dot read_dot
    pre_script: pre prescript before before_script
    post_script: post postscript after after_script
    clean_script: clean cleanup cleanup_script cleaning_script
    selection_script: select selection node_selection
    fork_env: fork fork_environment fork_script
    runtime_env: docker container runtime runtime_environment docker_env singularity podman
    task: step node block cell new_task add_task define_task create_task
    job: workflow name_job create_job set_job
    new_job: new new_workflow fresh_job
    split: replicate parallel map scatter
    merge: reduce gather
    start: while start_loop begin_loop
    if: then
    continuation: endif end_if continue_branch
    condition: test decide
    configure: config settings options set
    help: pragmas usage commands man
    list_nodesources: node_sources nodesources
    list_tokens: tokens
    list_hosts: hosts
    list_resources: resources nodes list_nodes
    show_scheduling_portal: scheduling_portal portal jobs_portal show_portal open_portal dashboard
    show_resource_manager: resource_manager rm nodes_portal
    show_workflow_automation: workflow_automation workflow_execution automation_dashboard studio submit_portal
    """
)

#: The same for parameters.
PARAMETER_SYNONYMS: Mapping[str, tuple[str, ...]] = _table(
    """
    dep: depends_on depends dependson dependency dependencies deps after parent parents needs requires upstream
    language: lang engine kernel
    path: file filename file_name filepath file_path script script_path source src
    variables: vars var variable params parameters args arguments env environment
    generic_info: generic_information genericinfo info generic
    export: exports output_variables export_variables
    import: imports input_variables import_variables
    retries: retry max_retries attempts executions tries max_executions
    walltime, timeout: time_limit wall_time max_time limit
    timeout: walltime
    walltime: timeout
    runs: times replicas copies count n number nb
    on_error: error onerror on_failure error_policy if_fails
    name: task task_name job_name title id
    task_name: name task
    job_name, name: job name
    job_id: jobid job number
    login: user username user_name
    password: pwd passwd pass
    url, host: address server hostname uri
    verify: ssl tls verify_ssl check_certificate
    description: desc doc docs comment
    into: store save_to variable var to assign
    wait: blocking sync block
    print_result: print_results results show_result
    precious_result: precious
    image: container docker_image
    input_files: inputs input files
    output_files: outputs output
    input_path: input_folder input_dir
    output_path: output_folder output_dir
    nvidia_gpu: gpu gpus cuda
    """
)

#: How alike a word and a name must be; and one of a pragma that removes something.
ALIKE, NEARLY_THE_SAME = 0.6, 0.85


def propose(
    word: str,
    names: Iterable[str],
    synonyms: Mapping[str, tuple[str, ...]] | None = None,
    *,
    guarded: Iterable[str] = (),
) -> str:
    """The name that a word most likely means; empty where none is near. `guarded` ones must be nearly the same."""
    wanted = word.lower().replace("-", "_")
    known = list(dict.fromkeys(names))
    for meant in (synonyms or {}).get(wanted, ()):
        if meant in known:
            return meant
    lowered = {name.lower(): name for name in reversed(known)}
    careful = {name.lower() for name in guarded}
    for name in difflib.get_close_matches(wanted, lowered, n=5, cutoff=ALIKE):
        same = name[0] == wanted[0] and difflib.SequenceMatcher(None, wanted, name).ratio() >= NEARLY_THE_SAME
        if name not in careful or same:
            return lowered[name]
    return ""
