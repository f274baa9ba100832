; The Windows installer of one community: for the person's own account, in Chinese, without administrator or line.
; wrap_windows.py writes files.nsh (each file with its folder below `incoming`) and defines.nsh: APPKEY TITLE DATA
; PUBLISHER VERSION FOUR_PARTS SEQUENCE PRESET_SEQUENCE KILOBYTES LONGEST COMPRESSOR OUT ICON BANNER and COMMUNITY.
;
;   setup.exe [/S] [/WAIT] [/START] [/D=C:\folder]     /D is last and without quotes
;     /WAIT   wait up to a minute for the running program to end (it starts its own update that way)
;     /START  start the program after a silent installation, the old one when that was refused
; Ends with 0 done, 1 or 2 left by the person, 3 Windows too old, 4 the program is running, 5 the folder cannot be
; written, holds what is not ours, or the old version cannot be moved, 6 a newer version is there. With 3 to 6 nothing was changed.

Unicode true
Target amd64-unicode
!include "defines.nsh"
!if "${COMPRESSOR}" == "lzma"
  SetCompressor /SOLID lzma
  SetCompressorDictSize 32
!else
  SetCompressor zlib
!endif
!include "texts.nsh"
!include "MUI2.nsh"
!include "LogicLib.nsh"
!include "WinVer.nsh"
!include "FileFunc.nsh"

!define RECORD "Software\${APPKEY}"
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${APPKEY}"
!define OLDEST_BUILD 17763 ; Windows 10 1809, the oldest that Qt 6.8 runs on

Name "${TITLE}"
Caption "${TEXT_SETUP}"
BrandingText "${TITLE} ${VERSION}"
OutFile "${OUT}"
Icon "${ICON}"
UninstallIcon "${ICON}"
RequestExecutionLevel user
ManifestDPIAware true
InstallDir "$LOCALAPPDATA\Programs\${APPKEY}"
InstallDirRegKey HKCU "${RECORD}" "InstallDir"
AllowSkipFiles off
SetDateSave off ; the same files give the same installer
ShowInstDetails nevershow
ShowUninstDetails nevershow

VIProductVersion "${FOUR_PARTS}"
VIFileVersion "${FOUR_PARTS}"
VIAddVersionKey /LANG=2052 "ProductName" "${TITLE}"
VIAddVersionKey /LANG=2052 "FileDescription" "${TEXT_SETUP}"
VIAddVersionKey /LANG=2052 "CompanyName" "${PUBLISHER}"
VIAddVersionKey /LANG=2052 "LegalCopyright" "${PUBLISHER}"
VIAddVersionKey /LANG=2052 "FileVersion" "${VERSION}"
VIAddVersionKey /LANG=2052 "ProductVersion" "${VERSION}"
!ifdef COMMUNITY
  VIAddVersionKey /LANG=2052 "Comments" "${COMMUNITY}"
!endif

; ------------------------------------------------------------------------------------------------------ pages
!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_WELCOMEFINISHPAGE_BITMAP "${BANNER}"
!define MUI_UNWELCOMEFINISHPAGE_BITMAP "${BANNER}"
!define MUI_ABORTWARNING
!define MUI_WELCOMEPAGE_TITLE "${TEXT_WELCOME_TITLE}"
!define MUI_WELCOMEPAGE_TEXT "${TEXT_WELCOME}"
!insertmacro MUI_PAGE_WELCOME
!define MUI_DIRECTORYPAGE_TEXT_TOP "${TEXT_FOLDER}"
!define MUI_PAGE_CUSTOMFUNCTION_LEAVE CheckFolder
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_TITLE "${TEXT_FINISH_TITLE}"
!define MUI_FINISHPAGE_TEXT "${TEXT_FINISH}"
!define MUI_FINISHPAGE_RUN
!define MUI_FINISHPAGE_RUN_TEXT "${TEXT_FINISH_RUN}"
!define MUI_FINISHPAGE_RUN_FUNCTION StartProgram
!insertmacro MUI_PAGE_FINISH

!define MUI_UNCONFIRMPAGE_TEXT_TOP "${TEXT_UNINSTALL_TOP}$\r$\n${TEXT_UNINSTALL_KEEPS}"
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!define MUI_FINISHPAGE_TITLE "${TEXT_UNINSTALLED_TITLE}"
!define MUI_FINISHPAGE_TEXT "${TEXT_UNINSTALLED}"
!insertmacro MUI_UNPAGE_FINISH
!insertmacro MUI_LANGUAGE SimpChinese

; --------------------------------------------------------------------------------------------- what both need
Var Busy
Var Patience
Var Aside
Var Foreign

!define PYTHON "runtime\pythonw.exe"
!define SWITCHES "-I -B -X utf8"
!define MARK 'platform = "windows-amd64"' ; a line of RELEASE.toml

; A program file that runs cannot be opened for writing.
!macro ASK_FILE NAME
  ${If} ${FileExists} "$INSTDIR\${NAME}"
    ClearErrors
    FileOpen $0 "$INSTDIR\${NAME}" a
    ${If} ${Errors}
      StrCpy $Busy 1
    ${Else}
      FileClose $0
    ${EndIf}
  ${EndIf}
!macroend

!macro CHECK_CLOSED UN
Function ${UN}CheckClosed
  ${GetParameters} $1
  ClearErrors
  ${GetOptions} $1 "/WAIT" $2
  StrCpy $Patience 0
  ${IfNot} ${Errors}
    StrCpy $Patience 120
  ${EndIf}
  again:
  StrCpy $Busy 0
  !insertmacro ASK_FILE "runtime\pythonw.exe"
  !insertmacro ASK_FILE "runtime\python.exe"
  !insertmacro ASK_FILE "runtime\python313.dll"
  !insertmacro ASK_FILE "previous\runtime\python313.dll"
  ${If} $Busy == 1
    ${If} $Patience > 0
      IntOp $Patience $Patience - 1
      Sleep 500
      Goto again
    ${EndIf}
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "${TEXT_OPEN}" /SD IDCANCEL IDRETRY again
    !if "${UN}" == ""
      Call StartIfAsked
    !endif
    SetErrorLevel 4
    Quit
  ${EndIf}
FunctionEnd
!macroend
!insertmacro CHECK_CLOSED ""
!insertmacro CHECK_CLOSED "un."

; All that an installation consists of, besides the uninstaller: once moved aside, nothing stale is left.
!macro EACH_PART DO
  !insertmacro ${DO} "runtime"
  !insertmacro ${DO} "site"
  !insertmacro ${DO} "app"
  !insertmacro ${DO} "preset"
  !insertmacro ${DO} "LICENSES"
  !insertmacro ${DO} "RELEASE.toml"
  !insertmacro ${DO} "sbom.cdx.json"
  !insertmacro ${DO} "qiaomen.ico"
!macroend

; ------------------------------------------------------------------------------------------------ installing
Function .onInit
  ReadRegStr $0 HKLM "Software\Microsoft\Windows NT\CurrentVersion" "CurrentBuildNumber"
  ${IfNot} ${AtLeastWin10}
  ${OrIf} $0 < ${OLDEST_BUILD}
    MessageBox MB_OK|MB_ICONSTOP "${TEXT_TOO_OLD}" /SD IDOK
    Call StartIfAsked
    SetErrorLevel 3
    Quit
  ${EndIf}
  System::Call 'kernel32::CreateMutexW(p 0, i 0, w "${APPKEY}-setup") p .r1 ?e'
  Pop $0
  ${If} $0 == 183 ; ERROR_ALREADY_EXISTS
    MessageBox MB_OK|MB_ICONINFORMATION "${TEXT_SECOND}" /SD IDOK
    SetErrorLevel 4
    Quit
  ${EndIf}
  Call CheckNewer
  Call CheckClosed
FunctionEnd

Function CheckNewer
  ReadRegDWORD $0 HKCU "${RECORD}" "Sequence"
  ${If} $0 > ${SEQUENCE}
  ${AndIf} ${FileExists} "$INSTDIR\${PYTHON}"
    MessageBox MB_OK|MB_ICONINFORMATION "${TEXT_NEWER}" /SD IDOK
    Call StartIfAsked
    SetErrorLevel 6
    Quit
  ${EndIf}
FunctionEnd

; A folder is ours when a version of the program lies in it, or the beginning of one that was cut off; so is the one that
; bears our name. In any other the folders that an installation moves or removes are somebody's own: $Foreign is 1 then.
!macro IS_OURS PLACE
  ClearErrors
  FileOpen $0 "$INSTDIR\${PLACE}RELEASE.toml" r
  ${IfNot} ${Errors}
    ${Do}
      FileRead $0 $1
      ${If} $1 == '${MARK}$\n'
        StrCpy $Foreign 0
      ${EndIf}
    ${LoopUntil} ${Errors}
    FileClose $0
  ${EndIf}
!macroend

!macro IS_THERE PART
  ${If} ${FileExists} "$INSTDIR\${PART}"
    StrCpy $Foreign 1
  ${EndIf}
!macroend

Function CheckForeign
  StrCpy $Foreign 0
  ${If} $INSTDIR == "$LOCALAPPDATA\Programs\${APPKEY}"
    Return
  ${EndIf}
  !insertmacro EACH_PART IS_THERE
  !insertmacro IS_THERE "previous"
  !insertmacro IS_THERE "incoming"
  !insertmacro IS_THERE "discarded"
  !insertmacro IS_THERE "uninstall.exe"
  !insertmacro IS_OURS ""
  !insertmacro IS_OURS "previous\"
  !insertmacro IS_OURS "discarded\"
  !insertmacro IS_OURS "incoming\"
FunctionEnd

Function CheckFolder
  Call CheckForeign
  ${If} $Foreign == 1
    MessageBox MB_OK|MB_ICONEXCLAMATION "${TEXT_FOREIGN}" /SD IDOK
    Abort
  ${EndIf}
  StrLen $0 "$INSTDIR\incoming\"
  IntOp $0 $0 + ${LONGEST}
  ${If} $0 > 255
    MessageBox MB_OK|MB_ICONEXCLAMATION "${TEXT_LONG_PATH}" /SD IDOK
    Abort
  ${EndIf}
FunctionEnd

Function StartProgram
  SetOutPath "$INSTDIR"
  Exec '"$INSTDIR\${PYTHON}" ${SWITCHES} "$INSTDIR\app\boot.py"'
FunctionEnd

; Whoever let the program renew itself has been told that it comes back by itself: the old one does when nothing came
; of it.
Function StartIfAsked
  ${If} ${Silent}
  ${AndIf} ${FileExists} "$INSTDIR\${PYTHON}"
  ${AndIf} ${FileExists} "$INSTDIR\app\boot.py"
    ${GetParameters} $1
    ClearErrors
    ${GetOptions} $1 "/START" $2
    ${IfNot} ${Errors}
      Call StartProgram
    ${EndIf}
  ${EndIf}
FunctionEnd

; From its first moment a half-written folder says whose it is; the real RELEASE.toml takes the place of this line.
Function MarkAsOurs ; the error flag tells
  CreateDirectory "$INSTDIR\incoming"
  ClearErrors
  FileOpen $0 "$INSTDIR\incoming\RELEASE.toml" w
  ${If} ${Errors} ; which clears the flag
    SetErrors
  ${Else}
    FileWrite $0 '${MARK}$\n'
    FileClose $0
  ${EndIf}
FunctionEnd

Function DropIncoming
  SetOutPath "$TEMP" ; a folder that is the present one stays
  RMDir /r "$INSTDIR\incoming"
  ${If} ${FileExists} "$INSTDIR\runtime" ; of a first installation whose other parts could not be moved in
  ${AndIfNot} ${FileExists} "$INSTDIR\RELEASE.toml"
    Call MarkAsOurs
  ${EndIf}
FunctionEnd

Function CannotWrite
  Call DropIncoming
  RMDir "$INSTDIR"
  MessageBox MB_OK|MB_ICONSTOP "${TEXT_CANNOT_WRITE}" /SD IDOK
  Call StartIfAsked
  SetErrorLevel 5
  Quit
FunctionEnd

; A file could not be unpacked: the disk is full. NSIS has said so, unless it is silent.
Function .onInstFailed
  Call DropIncoming
  Call StartIfAsked
  SetErrorLevel 5
FunctionEnd

Function InUse
  Call DropIncoming
  MessageBox MB_OK|MB_ICONSTOP "${TEXT_IN_USE}" /SD IDOK
  Call StartIfAsked
  SetErrorLevel 5
  Quit
FunctionEnd

; Virus scanners hold a fresh file for a moment.
Function MoveWithPatience ; from $1 to $2; the error flag tells
  StrCpy $3 10
  once_more:
  ClearErrors
  Rename "$1" "$2"
  ${If} ${Errors} ; which clears the flag
    ${If} $3 > 0
      IntOp $3 $3 - 1
      Sleep 500
      Goto once_more
    ${EndIf}
    SetErrors
  ${EndIf}
FunctionEnd

!macro MOVE_ASIDE PART
  ${If} $Busy == 0
  ${AndIf} ${FileExists} "$INSTDIR\${PART}"
    StrCpy $1 "$INSTDIR\${PART}"
    StrCpy $2 "$INSTDIR\$Aside\${PART}"
    Call MoveWithPatience
    ${If} ${Errors}
      StrCpy $Busy 1
    ${EndIf}
  ${EndIf}
!macroend

!macro MOVE_BACK PART
  ${If} ${FileExists} "$INSTDIR\$Aside\${PART}"
    RMDir /r "$INSTDIR\${PART}"
    Delete "$INSTDIR\${PART}"
    Rename "$INSTDIR\$Aside\${PART}" "$INSTDIR\${PART}"
  ${EndIf}
!macroend

!macro MOVE_IN PART
  ${If} $Busy == 0
  ${AndIf} ${FileExists} "$INSTDIR\incoming\${PART}"
    StrCpy $1 "$INSTDIR\incoming\${PART}"
    StrCpy $2 "$INSTDIR\${PART}"
    Call MoveWithPatience
    ${If} ${Errors}
      StrCpy $Busy 1
    ${EndIf}
  ${EndIf}
!macroend

Section
  Call CheckForeign
  ${If} $Foreign == 1
    MessageBox MB_OK|MB_ICONSTOP "${TEXT_FOREIGN}" /SD IDOK
    SetErrorLevel 5
    Quit
  ${EndIf}
  Call CheckClosed
  RMDir /r "$INSTDIR\incoming"
  Call MarkAsOurs
  ${If} ${Errors}
    Call CannotWrite
  ${EndIf}

  ; All of the new version is on the disk before any of the old one is touched.
  ClearErrors
  !include "files.nsh"
  SetOutPath "$INSTDIR\incoming"
  File "/oname=qiaomen.ico" "${ICON}"
  SetOutPath "$INSTDIR"
  ${If} ${Errors}
    Call CannotWrite
  ${EndIf}

  ; A version that has never opened is not worth keeping; the one before it is still in `previous`.
  StrCpy $Aside "previous"
  ${If} ${FileExists} "$INSTDIR\previous\${PYTHON}"
    StrCpy $Aside "discarded"
  ${EndIf}
  ; It begins empty, so that what lies in it later was moved there: an older one may have been removed by halves.
  RMDir /r "$INSTDIR\$Aside"
  CreateDirectory "$INSTDIR\$Aside"
  StrCpy $Busy 0
  FindFirst $0 $1 "$INSTDIR\$Aside\*.*"
  ${DoWhile} $1 != ""
    ${If} $1 != "."
    ${AndIf} $1 != ".."
      StrCpy $Busy 1
    ${EndIf}
    FindNext $0 $1
  ${Loop}
  FindClose $0
  ${IfNot} ${FileExists} "$INSTDIR\$Aside\*.*"
    StrCpy $Busy 1
  ${EndIf}
  ${If} $Busy == 1
    Call InUse
  ${EndIf}
  !insertmacro EACH_PART MOVE_ASIDE
  !insertmacro EACH_PART MOVE_IN
  ${If} $Busy == 1
    !insertmacro EACH_PART MOVE_BACK
    RMDir "$INSTDIR\$Aside"
    Call InUse
  ${EndIf}
  RMDir /r "$INSTDIR\incoming"

  ; What the community has issued later than this installer stays.
  ReadRegDWORD $0 HKCU "${RECORD}" "PresetSequence"
  ${If} $0 > ${PRESET_SEQUENCE}
  ${AndIf} ${FileExists} "$INSTDIR\$Aside\preset\manifest.json"
    RMDir /r "$INSTDIR\preset"
    CreateDirectory "$INSTDIR\preset"
    CopyFiles /SILENT "$INSTDIR\$Aside\preset\*.*" "$INSTDIR\preset"
  ${Else}
    WriteRegDWORD HKCU "${RECORD}" "PresetSequence" ${PRESET_SEQUENCE}
  ${EndIf}
  RMDir /r "$INSTDIR\discarded"
  RMDir "$INSTDIR\previous" ; only when there was none
  Delete "$INSTDIR\previous\tries" ; those of the version that has gone, see boot.py

  ; A community that has changed its name does not get two of everything.
  ReadRegStr $0 HKCU "${RECORD}" "Title"
  ${If} $0 != ""
  ${AndIf} $0 != "${TITLE}"
    Delete "$SMPROGRAMS\$0.lnk"
    Delete "$SMPROGRAMS\$0${TEXT_PREVIOUS}.lnk"
    Delete "$DESKTOP\$0.lnk"
  ${EndIf}
  SetOutPath "$INSTDIR"
  StrCpy $1 '${SWITCHES} "$INSTDIR\app\boot.py"'
  CreateShortcut "$SMPROGRAMS\${TITLE}.lnk" "$INSTDIR\${PYTHON}" '$1' "$INSTDIR\qiaomen.ico"
  CreateShortcut "$DESKTOP\${TITLE}.lnk" "$INSTDIR\${PYTHON}" '$1' "$INSTDIR\qiaomen.ico"
  Delete "$SMPROGRAMS\${TITLE}${TEXT_PREVIOUS}.lnk"
  ${If} ${FileExists} "$INSTDIR\previous\${PYTHON}"
    StrCpy $1 '${SWITCHES} "$INSTDIR\previous\app\boot.py"'
    CreateShortcut "$SMPROGRAMS\${TITLE}${TEXT_PREVIOUS}.lnk" "$INSTDIR\previous\${PYTHON}" '$1' "$INSTDIR\qiaomen.ico"
  ${EndIf}

  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${RECORD}" "InstallDir" "$INSTDIR"
  WriteRegStr HKCU "${RECORD}" "Title" "${TITLE}"
  WriteRegDWORD HKCU "${RECORD}" "Sequence" ${SEQUENCE}
  WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${TITLE}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\qiaomen.ico"
  WriteRegStr HKCU "${UNINSTALL}" "Publisher" "${PUBLISHER}"
  WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" ${KILOBYTES}
  WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1

  Call StartIfAsked
SectionEnd

; ---------------------------------------------------------------------------------------------- uninstalling
Function un.onInit
  Call un.CheckClosed
FunctionEnd

!macro REMOVE PART
  RMDir /r "$INSTDIR\${PART}"
  Delete "$INSTDIR\${PART}"
!macroend

; Only what was installed: whoever chose a folder with other things in it keeps them, and the records lie elsewhere.
Section "Uninstall"
  SetOutPath "$TEMP"
  !insertmacro EACH_PART REMOVE
  !insertmacro REMOVE "previous"
  !insertmacro REMOVE "incoming"
  !insertmacro REMOVE "discarded"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  ReadRegStr $0 HKCU "${RECORD}" "Title"
  ${If} $0 != ""
    Delete "$SMPROGRAMS\$0.lnk"
    Delete "$SMPROGRAMS\$0${TEXT_PREVIOUS}.lnk"
    Delete "$DESKTOP\$0.lnk"
  ${EndIf}
  DeleteRegKey HKCU "${UNINSTALL}"
  DeleteRegKey HKCU "${RECORD}"
SectionEnd
