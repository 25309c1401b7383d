# Runs a PowerShell script of a task: pwsh -File powershell.ps1 FOLDER. Windows PowerShell 5.1 or PowerShell 7.
# The bindings come as a script, request.ps1, that powershell.py writes: ConvertFrom-Json would take texts for dates.
param([Parameter(Mandatory = $true)][string] $ProActiveFolder)

function New-ProActiveMap {
    # A map in order whose keys differ by case, too.
    New-Object System.Collections.Specialized.OrderedDictionary ([System.StringComparer]::Ordinal)
}

function ConvertTo-ProActiveText([string] $Text) {
    $quoted = [regex]::Replace($Text, '[^\x20-\x7e]|["\\]', { param($found) '\u{0:x4}' -f [int][char] $found.Value })
    '"' + $quoted + '"'
}

function Deny-ProActiveValue([string] $Path, $Value, [string] $Reason) {
    $type = $Value.GetType().FullName
    throw "$Path ($type) cannot travel between tasks: $Reason; build it of numbers, strings, arrays and hashtables"
}

function ConvertTo-ProActiveWire($Value, [string] $Path, [int] $Depth = 0) {
    # The value as JSON, see workflow/values.py.
    if ($Depth -gt 100) { Deny-ProActiveValue $Path $Value 'it lies more than 100 levels deep' }
    if ($null -eq $Value) { return 'null' }
    if ($Value -is [psobject]) { $Value = $Value.psobject.BaseObject }
    $culture = [System.Globalization.CultureInfo]::InvariantCulture
    if ($Value -is [bool]) { return $Value.ToString().ToLowerInvariant() }
    if ($Value -is [string] -or $Value -is [char]) { return ConvertTo-ProActiveText ([string] $Value) }
    if ($Value -is [byte[]]) {
        return '{"$type":"bytes","value":"' + [Convert]::ToBase64String($Value) + '"}'
    }
    if ($Value -is [double] -or $Value -is [single]) {
        $text = ([double] $Value).ToString('R', $culture)
        if ([double]::IsNaN($Value)) { $text = 'NaN' }
        if ([double]::IsInfinity($Value)) { $text = if ($Value -gt 0) { 'Infinity' } else { '-Infinity' } }
        return '{"$type":"float","value":"' + $text + '"}'
    }
    if ($Value -is [decimal] -or $Value -is [uint64] -or $Value -is [bigint]) {
        return '{"$type":"decimal","value":"' + $Value.ToString($culture) + '"}'
    }
    if ($Value -is [ValueType] -and $Value -isnot [enum] -and $Value -as [long] -eq $Value) {
        return ([long] $Value).ToString($culture)
    }
    if ($Value -is [System.Collections.IDictionary]) {
        $items = foreach ($key in @($Value.Keys)) {
            $inner = "$Path['$key']"
            (ConvertTo-ProActiveText ([string] $key)) + ':' + (ConvertTo-ProActiveWire $Value[$key] $inner ($Depth + 1))
        }
        return '{' + (@($items) -join ',') + '}'
    }
    if ($Value -is [System.Collections.IEnumerable]) {
        $index = 0
        $items = foreach ($item in $Value) {
            ConvertTo-ProActiveWire $item "$Path[$index]" ($Depth + 1)
            $index++
        }
        return '[' + (@($items) -join ',') + ']'
    }
    Deny-ProActiveValue $Path $Value 'no such type has a form in the other languages'
}

function New-ProActiveResult($Parent) {
    # One entry of $results.
    $found = New-Object psobject -Property @{ Parent = $Parent }
    Add-Member -InputObject $found ScriptMethod value {
        if ($this.Parent['failure']) { throw "task $($this.Parent['name']) failed: $($this.Parent['failure'])" }
        , $this.Parent['value']
    }
    Add-Member -InputObject $found ScriptMethod hadException { [bool] $this.Parent['failure'] }
    Add-Member -InputObject $found ScriptMethod getException { $this.Parent['failure'] }
    Add-Member -InputObject $found ScriptMethod getMetadata { $this.Parent['metadata'] }
    Add-Member -InputObject $found ScriptMethod ToString { $this.Parent['text'] } -Force
    $found
}

function New-ProActiveProgress([string] $Path) {
    $progress = New-Object psobject -Property @{ Path = $Path }
    Add-Member -InputObject $progress ScriptMethod set {
        param([int] $Percent)
        if ($Percent -lt 0 -or $Percent -gt 100) { throw "progress goes from 0 to 100, not $Percent" }
        [System.IO.File]::WriteAllText($this.Path, [string] $Percent)
    }
    Add-Member -InputObject $progress ScriptMethod get { [int] [System.IO.File]::ReadAllText($this.Path) }
    $progress
}

function New-ProActiveForkEnvironment($State) {
    # How the task's process will be started.
    if ($null -eq $State['systemEnvironment']) { $State['systemEnvironment'] = New-ProActiveMap }
    if ($null -eq $State['preJavaCommand']) { $State['preJavaCommand'] = @() }
    if ($null -eq $State['workingDir']) { $State['workingDir'] = '' }
    $found = New-Object psobject -Property @{ State = $State }
    Add-Member -InputObject $found ScriptMethod setWorkingDir {
        param($Path)
        $this.State['workingDir'] = [string] $Path
    }
    Add-Member -InputObject $found ScriptMethod getWorkingDir { $this.State['workingDir'] }
    Add-Member -InputObject $found ScriptMethod addSystemEnvironmentVariable {
        param($Name, $Value)
        $this.State['systemEnvironment'][[string] $Name] = [string] $Value
    }
    Add-Member -InputObject $found ScriptMethod getSystemEnvironment { $this.State['systemEnvironment'] }
    Add-Member -InputObject $found ScriptMethod setPreJavaCommand {
        param($Words)
        $this.State['preJavaCommand'] = @($Words)
    }
    Add-Member -InputObject $found ScriptMethod addPreJavaCommand {
        param($Word)
        $this.State['preJavaCommand'] += [string] $Word
    }
    $found
}

function Get-ProActiveChange([string] $Name, $Now, $Before) {
    # What was put or changed in a map, as JSON, and the names that are gone.
    $changed = foreach ($key in @($Now.Keys)) {
        $wire = ConvertTo-ProActiveWire $Now[$key] "$Name['$key']"
        if (-not $Before.Contains($key) -or $Before[$key] -cne $wire) {
            (ConvertTo-ProActiveText ([string] $key)) + ':' + $wire
        }
    }
    $gone = foreach ($key in @($Before.Keys)) {
        if (-not $Now.Contains($key)) { ConvertTo-ProActiveText $key }
    }
    @{ Changed = '{' + (@($changed) -join ',') + '}'; Gone = '[' + (@($gone) -join ',') + ']' }
}

function Get-ProActiveSnapshot([string] $Name, $Map) {
    $before = New-ProActiveMap
    foreach ($key in @($Map.Keys)) { $before[[string] $key] = ConvertTo-ProActiveWire $Map[$key] $Name }
    $before
}

function New-ProActiveFailure($Record) {
    # What an error record says, with the script's own line.
    $text = [string] $Record
    $type = if ($Record.Exception) { $Record.Exception.GetType().FullName } else { '' }
    $line = if ($Record.InvocationInfo) { $Record.InvocationInfo.ScriptLineNumber } else { 0 }
    $trace = "${type}: $text"
    if ($line -gt 0) { $trace += "`n    at ${ProActiveLabel}:$line" }
    @{ Type = $type; Message = $text; Trace = $trace }
}

function Complete-ProActiveTask($Failure) {
    # Write the report; gives the exit code.
    $parts = @()
    if (-not $Failure) {
        try {
            $parts = @(Get-ProActiveReport)
        } catch {
            $Failure = @{ Type = ''; Message = [string] $_; Trace = [string] $_ }
        }
    }
    if ($Failure) {
        [Console]::Error.WriteLine($Failure.Trace)
        $texts = foreach ($key in 'Type', 'Message', 'Trace') {
            '"' + $key.ToLowerInvariant() + '":' + (ConvertTo-ProActiveText $Failure[$key])
        }
        $parts += '"error":{' + ($texts -join ',') + '}'
    }
    $half = "$ProActiveReport.part"
    [System.IO.File]::WriteAllText($half, '{' + ($parts -join ',') + '}')
    Move-Item -LiteralPath $half -Destination $ProActiveReport -Force
    if ($Failure) { 1 } else { 0 }
}

function Get-ProActiveReport {
    $found = Get-ProActiveChange 'variables' $variables $ProActiveBefore.variables
    '"variablesSet":' + $found.Changed
    '"variablesRemoved":' + $found.Gone
    if ($ProActiveBefore.resultMap) {
        '"resultMap":' + (Get-ProActiveChange 'resultMap' $resultMap $ProActiveBefore.resultMap).Changed
        $texts = New-ProActiveMap
        foreach ($key in @($resultMetadata.Keys)) { $texts[[string] $key] = [string] $resultMetadata[$key] }
        '"resultMetadata":' + (ConvertTo-ProActiveWire $texts 'resultMetadata')
    }
    if ($forkEnvironment) { '"forkEnvironment":' + (ConvertTo-ProActiveWire $forkEnvironment.State 'forkEnvironment') }
    $values = foreach ($name in $ProActiveReturns) {
        $own = $name -eq 'result' -and $ProActiveStage -eq 'main' -and -not (Test-Path variable:result)
        if ($own -and $ProActiveOutput.Count -gt 0) {
            $piped = if ($ProActiveOutput.Count -eq 1) { $ProActiveOutput[0] } else { $ProActiveOutput.ToArray() }
            '"result":' + (ConvertTo-ProActiveWire $piped 'result')
        } elseif (Test-Path "variable:$name") {
            '"' + $name + '":' + (ConvertTo-ProActiveWire (Get-Variable -Name $name -ValueOnly) $name)
        }
    }
    '"values":{' + (@($values) -join ',') + '}'
}

[Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false
. (Join-Path $ProActiveFolder 'request.ps1')
$ProActiveBefore = @{ variables = Get-ProActiveSnapshot 'variables' $variables }
if ($null -ne $resultMap) { $ProActiveBefore.resultMap = Get-ProActiveSnapshot 'resultMap' $resultMap }
if ($ProActiveProgressFile) { $progress = New-ProActiveProgress $ProActiveProgressFile }
if ($ProActiveFork) { $forkEnvironment = New-ProActiveForkEnvironment $ProActiveFork }
$ProActiveOutput = New-Object System.Collections.ArrayList
$ProActiveFailure = $null
$Error.Clear()
try {
    . $ProActiveScript @args | ForEach-Object { [void] $ProActiveOutput.Add($_); $_ } | Out-Default
    # Any error record fails the task, also one after which the script went on.
    if ($Error.Count -gt 0) { $ProActiveFailure = New-ProActiveFailure $Error[$Error.Count - 1] }
} catch {
    $ProActiveFailure = New-ProActiveFailure $_
}
exit (Complete-ProActiveTask $ProActiveFailure)
