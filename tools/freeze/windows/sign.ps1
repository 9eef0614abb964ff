# Signs a frozen sidecar for Windows: every .exe, .dll and .pyd that has no valid signature yet
# (those of Microsoft have one), and checks each of them.
# Never run: it follows Microsoft's documentation. Not needed where electron-builder does it (signExts).
# Usage: tools\freeze\windows\sign.ps1 -Folder dist\lora-sidecar -Thumbprint 0123...
param(
    [Parameter(Mandatory)] [string] $Folder,
    [Parameter(Mandatory)] [string] $Thumbprint,
    [string] $Timestamp = "http://timestamp.digicert.com"
)
$ErrorActionPreference = "Stop"

$files = Get-ChildItem -LiteralPath $Folder -Recurse -File |
    Where-Object { $_.Extension -in ".exe", ".dll", ".pyd" } |
    Where-Object { (Get-AuthenticodeSignature -LiteralPath $_.FullName).Status -ne "Valid" }

foreach ($file in $files) {
    signtool sign /sha1 $Thumbprint /fd SHA256 /tr $Timestamp /td SHA256 $file.FullName
    if ($LASTEXITCODE -ne 0) { throw "signtool could not sign $($file.FullName)" }
    signtool verify /pa $file.FullName
    if ($LASTEXITCODE -ne 0) { throw "the signature of $($file.FullName) is not valid" }
}
"$(@($files).Count) files signed."
